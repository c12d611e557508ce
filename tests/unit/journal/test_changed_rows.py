"""A row that can not be decoded, or was changed, is named, left out and mended; others count."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import verify
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.samples import ORIGIN, a_decision, a_note, a_risk_event, a_trade, opened
from tests.unit.journal.test_old_journal_files import ASSETS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 27, tzinfo=UTC)
CHANGES = {
    "a digit": "UPDATE records SET body = replace(body, ':0.01,', ':0.91,') WHERE id = ?",
    "no JSON": "UPDATE records SET body = 'x' WHERE id = ?",
    "a missing key": "UPDATE records SET body = json_remove(body, '$.pair') WHERE id = ?",
    "the hash": "UPDATE records SET content_hash = 'x' WHERE id = ?",
    "another row's content": "UPDATE records SET (body, content_hash) ="
    " (SELECT body, content_hash FROM records WHERE seq = 1) WHERE id = ?",
}


def changed(path: Path, statement: str, *values: str) -> None:
    """Change a row behind the journal's back."""
    with closing(sqlite3.connect(path)) as sqlite:
        assert sqlite.execute(statement, values).rowcount == 1
        sqlite.commit()


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_record_is_no_evidence_and_salvage_takes_it_out(tmp_path: Path, how: str) -> None:
    """SQLite calls the file intact. The other records are as before."""
    journal = Journal(tmp_path)
    trades = [a_trade(number) for number in range(5)]
    journal.append([*trades, a_note(1), a_risk_event(1)])
    assert verify(journal.connection).bad == {}
    changed(journal.path, CHANGES[how], trades[2].id)

    assert journal.check() == "ok"
    assert list(verify(journal.connection).bad) == [f"record {trades[2].id}"]
    left = [trade for trade in trades if trade is not trades[2]]
    assert list(journal.of_kind(TradeRecord, Scope(user_id=ORIGIN.user_id))) == left
    journal.close()
    done = salvage(journal.path, NOW)
    assert done is not None
    assert done.lost_records == 1
    assert verify(journal.connection).bad == {}
    assert list(journal.of_kind(TradeRecord)) == left
    journal.close()
    assert salvage(journal.path, NOW) is None


def test_a_changed_decision_leaves_the_ledger_readable(tmp_path: Path) -> None:
    """A bot's start and `ledger` read on; `salvage` takes it out."""
    journal = Journal(tmp_path)
    decisions = [a_decision(number) for number in range(3)]
    trade = a_trade(1)
    journal.append([*decisions, opened(decisions[1], trade), trade])
    changed(journal.path, "UPDATE decisions SET body = 'x' WHERE id = ?", decisions[0].id)
    changed(journal.path, "UPDATE records SET body = 'x' WHERE id = ?", trade.id)

    lines = list(journal.ledger(only_opened=False))
    assert [line.decision.id for line in lines] == [each.id for each in decisions[1:]]
    assert lines[0].trade is None
    loose = journal.loose_decisions(Scope(), decisions[0].decided_at)
    assert {each.id for each in loose} == {each.id for each in decisions[1:]}
    assert len(verify(journal.connection).bad) == 2
    journal.close()
    done = salvage(journal.path, NOW)
    assert done is not None
    assert len(list(journal.ledger(only_opened=False))) == 2
    journal.close()


@pytest.mark.parametrize(
    "file", sorted(ASSETS.glob("journal-*.sqlite")), ids=lambda path: path.name
)
def test_the_hashes_of_old_journals_are_right(file: Path, tmp_path: Path) -> None:
    """Versions before wrote the same hashes."""
    journal = Journal(tmp_path)
    journal.path.write_bytes(file.read_bytes())
    found = verify(journal.connection)
    assert found.n_rows > 0
    assert found.bad == {}
    journal.close()
