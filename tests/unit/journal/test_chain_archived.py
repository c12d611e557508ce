"""The chain of hashes over evidence and archives: what stakes depend on is not changed unseen."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.bodies.pack import pack
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.chain_check import check_chain
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.records.base import to_ms
from tests.support.samples import NOTED, a_decision, a_trade, at, opened

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal

N = 150


@pytest.fixture
def aged(journal: Journal) -> Journal:
    """A journal with archived rows up to number 49, and compressed ones."""
    for number in range(N):
        decision = a_decision(number)
        trade = a_trade(number, decision_id=decision.id, recorded_at=at(number))
        journal.append([decision, opened(decision, trade), trade])
    Outbox(journal).delivered(range(1, N + 1), NOTED)
    writes = BriefWrites(journal, lambda _: None)
    assert archive_records(writes, to_ms(at(50))) == 50
    assert archive_decisions(writes, to_ms(at(50))) == 50
    pack(writes, "records", to_ms(at(N)))
    journal.connection.close()
    return journal


@pytest.mark.parametrize("seed", range(6))
def test_salvage_keeps_the_chain_over_the_archive(aged: Journal, seed: int) -> None:
    """What was lost is named as lost; the rest fits."""
    content, chance = bytearray(aged.path.read_bytes()), random.Random(seed)
    number = chance.randrange(16, len(content) // 4096 - 1)
    content[number * 4096 : (number + 1) * 4096] = chance.randbytes(4096)
    aged.path.write_bytes(content)
    salvage(aged.path, NOTED)
    assert check_chain(aged.connection).breaks == []


TAMPERING = {
    "a profit in evidence": "UPDATE evidence SET facts = (SELECT facts FROM evidence WHERE seq = 9)"
    " WHERE seq = 100",
    "a profit in archived evidence": "UPDATE evidence SET facts ="
    " (SELECT facts FROM evidence WHERE seq = 9) WHERE seq = 10",
    "evidence hidden": "UPDATE evidence SET facts = NULL WHERE seq = 100",
    "an archived decision deleted": "DELETE FROM old_decisions WHERE seq = 10",
    "evidence switched off": "UPDATE evidence SET is_current = 0 WHERE seq = 100",
    "archived evidence switched off": "UPDATE evidence SET is_current = 0 WHERE seq = 10",
    "archived evidence taken out": "DELETE FROM evidence WHERE seq = 10",
    "a record taken out, said to be archived": "UPDATE evidence SET is_archived = 1"
    " WHERE seq = (SELECT 100 FROM records WHERE seq = 100)",
    "the owner of archived trades": "UPDATE scopes SET run_id = 'x'",
    "a tag of many trades": "UPDATE words SET word = 'another' WHERE word = 'dip'",
    "an archived decision": "UPDATE old_decisions SET decided_ms = decided_ms + 1 WHERE seq = 10",
    "an archived decision taken out": "DELETE FROM old_decisions WHERE seq = 10",
    "an archived decision put in": "INSERT INTO old_decisions SELECT 999, id, scope, pair,"
    " decided_ms, open_ms, trade_id, checksum, facts FROM old_decisions WHERE seq = 10",
}


def test_archiving_and_compressing_fit(aged: Journal) -> None:
    """Rows that went into the archive are counted."""
    found = check_chain(aged.connection)
    assert found.breaks == []
    assert found.gone == {"archived": 100}


@pytest.mark.parametrize("how", TAMPERING)
def test_what_was_changed_is_named(aged: Journal, how: str) -> None:
    """In evidence, in the archive, and in the texts that rows share."""
    with closing(sqlite3.connect(aged.path)) as sqlite:
        sqlite.execute("PRAGMA foreign_keys = OFF")
        assert sqlite.execute(TAMPERING[how]).rowcount > 0
        sqlite.commit()
    assert check_chain(aged.connection).n_breaks > 0
