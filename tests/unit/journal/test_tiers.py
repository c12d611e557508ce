"""Old bodies take less room, in steps that can be killed; people still read what there is."""

from __future__ import annotations

import random
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.decide.explain import why
from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.bodies.pack import pack
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.chain_check import check_chain
from freqtrade_mem0.journal.compact import shrink
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import verify
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.known import known
from tests.support.samples import (
    NOTED,
    a_decision,
    a_note,
    a_risk_event,
    a_trade,
    at,
    opened,
)
from tests.unit.journal.damage import overwrite, page_kinds

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 28, tzinfo=UTC)
END_MS = to_ms(at(100_000))
N = 400


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a journal whose records Mem0 has."""
    journal = Journal(tmp_path_factory.mktemp("full"))
    chance = random.Random(1)
    for n in range(N):
        decision = a_decision(n, multiplier=chance.gauss(1.0, 0.1), n_asked=3)
        trade = a_trade(
            n,
            recorded_at=at(n),
            profit_ratio=chance.gauss(0.0, 0.02),
            decision_id=decision.id,
            situation={"x": 1.5},
        )
        journal.append([decision, opened(decision, trade), trade])
    journal.append([a_risk_event(1), a_risk_event(2), a_note(1)])
    outbox = Outbox(journal)
    outbox.delivered([seq for seq, _ in outbox.pending(10 * N)], NOTED)
    journal.close()
    return journal.path.parent


@pytest.fixture
def journal(full: Path, tmp_path: Path) -> Journal:
    """A copy of it."""
    return Journal(shutil.copytree(full, tmp_path / "memory"))


def writes(journal: Journal) -> BriefWrites:
    """Return a way to write without pauses."""
    return BriefWrites(journal, lambda _: None)


def archived(journal: Journal) -> None:
    """Archive all there is."""
    archive_records(writes(journal), END_MS)
    archive_decisions(writes(journal), END_MS)


def size(journal: Journal, *tables: str) -> int:
    """Return how many bytes the rows of some tables and their indexes take."""
    names = " OR ".join(f"name LIKE '{table}%'" for table in tables)
    rows = journal.connection.rows(f"SELECT sum(payload) FROM dbstat WHERE {names}")  # noqa: S608
    total: int = rows[0][0]
    return total


def test_warm_bodies_take_a_fraction_and_read_as_before(journal: Journal) -> None:
    """Records, decisions, the doctor and the chain."""
    before = known(journal), list(journal.records()), list(journal.ledger())
    plain = size(journal, "records", "decisions")

    assert pack(writes(journal), "records", END_MS) == N + 3
    assert pack(writes(journal), "decisions", END_MS) == N
    assert pack(writes(journal), "records", END_MS) == 0
    assert (known(journal), list(journal.records()), list(journal.ledger())) == before
    assert size(journal, "records", "decisions", "packed") < 0.6 * plain
    file_size = journal.path.stat().st_size
    shrink(writes(journal), alone=False)
    with journal.connection.read() as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    assert journal.path.stat().st_size < 0.7 * file_size
    assert verify(journal.connection).bad == {}
    assert check_chain(journal.connection).breaks == []


def test_only_what_is_old_enough_is_compressed(journal: Journal) -> None:
    """By the market time at which it became known."""
    n = pack(writes(journal), "records", to_ms(at(300)), dry_run=True)
    assert pack(writes(journal), "records", to_ms(at(300))) == n
    rows = journal.connection.rows("SELECT count(*) FROM records WHERE body = ''")
    assert rows == [(n,)]
    assert n < N


def test_few_bodies_stay_as_they_are(tmp_path: Path) -> None:
    """A dictionary would be larger than what it saves."""
    journal = Journal(tmp_path)
    journal.append([a_trade(1), a_trade(2)])
    assert pack(writes(journal), "records", END_MS) == 0


def test_a_dictionary_that_became_poor_is_followed_by_another_one(journal: Journal) -> None:
    """Bodies of the first one stay readable."""
    pack(writes(journal), "records", END_MS)
    chance = random.Random(2)
    words = ["".join(chance.choices("äöüßéλжя", k=40)) for _ in range(30)]
    notes = [a_note(n, content=" ".join(chance.choices(words, k=60))) for n in range(10, 1_500)]
    journal.append(notes)
    outbox = Outbox(journal)
    outbox.delivered([seq for seq, _ in outbox.pending(10 * N)], NOTED)
    before = list(journal.records())
    pack(writes(journal), "records", END_MS)

    assert len(journal.connection.rows("SELECT number FROM dictionaries")) == 2
    assert list(journal.records()) == before


def test_the_archive_keeps_records_whole_and_decisions_as_numbers(journal: Journal) -> None:
    """Nothing that a stake depends on changes; trades, events and stakes are as before."""
    before, records = known(journal), list(journal.records())
    lines = list(journal.ledger())
    archived(journal)

    assert known(journal) == before
    assert list(journal.records()) == records
    rest = journal.connection.rows("SELECT kind FROM records")
    assert rest == [("note",)]
    assert len(journal.connection.rows("SELECT 1 FROM decisions")) == 1  # the newest
    for old, new in zip(lines, journal.ledger(), strict=True):
        one, other = old.decision, new.decision
        assert old.trade == new.trade
        for name in ("id", "origin", "decided_at", "pair", "side", "enter_tag", "proposed_stake"):
            assert getattr(one, name) == getattr(other, name)
        for name in ("multiplier", "stake", "applied", "policy", "n_effective", "n_asked"):
            assert getattr(one, name) == getattr(other, name)
        assert (one.trade_id, one.open_date) == (other.trade_id, other.open_date)
    assert verify(journal.connection).bad == {}
    assert check_chain(journal.connection).breaks == []
    assert journal.record(records[3][1].id) == records[3][1]
    assert len(list(journal.decisions(Scope()))) == N


def test_why_says_what_an_archived_decision_has_no_more(journal: Journal) -> None:
    """In one plain sentence; stake, situation and outcome are there."""
    archived(journal)
    line = next(iter(journal.ledger()))
    text = why(line)

    assert "no longer kept: the decision was archived" in text
    assert "a stake of 100 USDT" in text
    assert "closed" in text


def test_without_its_body_a_trade_is_what_its_evidence_says(journal: Journal) -> None:
    """Amounts of money are not shown as numbers that nobody knows."""
    archived(journal)
    before = known(journal)
    with journal.connection.write() as sqlite:
        sqlite.execute("DELETE FROM blocks")

    assert known(journal) == before
    line = next(iter(journal.ledger()))
    assert line.trade is not None
    assert line.trade.told is not None
    assert "profit_abs" in line.trade.told.unknown
    assert "amounts are no longer kept" in why(line)
    assert journal.append([a_trade(5, profit_ratio=line.trade.profit_ratio)]) == 1


def test_the_same_record_is_recognised_after_its_body_went(journal: Journal) -> None:
    """Re-import, catch-up and pull add nothing; corrections and retractions work."""
    trades = list(journal.of_kind(TradeRecord))
    archived(journal)
    assert journal.append(trades) == 0
    assert journal.append([replace(each, decision_id=None, situation={}) for each in trades]) == 0
    assert journal.adopt(trades) == 0
    with journal.connection.write() as sqlite:
        sqlite.execute("DELETE FROM blocks")
    assert journal.append(trades) == 0
    assert journal.adopt(trades) == 0
    assert journal.append([replace(trades[0], profit_ratio=-0.5)]) == 1
    changed = journal.record_of(TradeRecord, trades[0].id)
    assert changed is not None
    assert (changed.profit_ratio, changed.decision_id) == (-0.5, trades[0].decision_id)


def test_what_waits_for_mem0_is_not_archived(journal: Journal) -> None:
    """Nor what Mem0 refused."""
    journal.append([a_trade(N + 1), a_trade(N + 2)])
    outbox = Outbox(journal)
    (first, _), (second, _) = outbox.pending(2)
    outbox.refused([second], "too long")
    archived(journal)

    assert [seq for seq, _ in outbox.pending(10)] == [first]
    assert len(outbox.dead_letters()) == 1
    assert outbox.send_again() > N
    assert len(outbox.pending(10 * N)) >= N


def test_decisions_that_a_bot_may_still_tie_stay(journal: Journal) -> None:
    """Without a fill, and of trades that are open or do not know their decision."""
    loose = [a_decision(N + n) for n in range(3)]
    journal.append([*loose, opened(loose[1], a_trade(N + 1)), opened(loose[2], a_trade(N + 2))])
    journal.append([a_trade(N + 2)])
    archived(journal)

    found = journal.loose_decisions(Scope(), at(-1_000))
    assert [each.id for each in found] == [each.id for each in loose]


@pytest.mark.parametrize("seed", range(8))
def test_salvage_brings_back_what_was_archived_and_compressed(
    journal: Journal, tmp_path: Path, seed: int
) -> None:
    """A page of noise costs what stood on it."""
    pack(writes(journal), "decisions", END_MS)
    assert archive_records(writes(journal), to_ms(at(200)))
    assert archive_decisions(writes(journal), to_ms(at(200)))
    pack(writes(journal), "records", END_MS)
    n_trades = len(list(journal.of_kind(TradeRecord)))
    before = known(journal)
    with journal.connection.read() as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    journal.close()
    path = tmp_path / "copy" / journal.path.name
    path.parent.mkdir()
    shutil.copy(journal.path, path)
    tables = ("records", "outbox", "marks", "seen", "packed", "decisions", "records_scope", "chain")
    name = tables[seed]
    pages = [n for n, kind in page_kinds(path).items() if kind.startswith(f"{name} ")]
    overwrite(path, pages[-1], random.Random(seed))
    assert salvage(path, NOW) is not None
    again = Journal(path.parent)
    assert verify(again.connection).bad == {}
    if name != "records":
        assert known(again) == before
        assert len(list(again.ledger())) >= 0.5 * N
    else:
        assert len(list(again.of_kind(TradeRecord))) > 0.4 * n_trades
    again.close()


def test_a_changed_archived_decision_is_left_out(journal: Journal) -> None:
    """Its numbers are checked as well."""
    archived(journal)
    with closing(sqlite3.connect(journal.path)) as sqlite:
        sqlite.execute("UPDATE old_decisions SET facts = zeroblob(length(facts)) WHERE seq = 3")
        sqlite.commit()
    assert len(list(journal.ledger())) == N - 1
    assert len(verify(journal.connection).bad) == 1


def test_what_was_brought_back_is_archived_again(journal: Journal) -> None:
    """Beside the others of its block, whose first record it is."""
    before = list(journal.records())
    archived(journal)
    Outbox(journal).send_again()  # which brings records back
    outbox = Outbox(journal)
    outbox.delivered([seq for seq, _ in outbox.pending(10 * N)], NOTED)
    archived(journal)
    assert list(journal.records()) == before
    assert check_chain(journal.connection).breaks == []


def test_an_archived_decision_that_is_decided_again_stands_in_the_ledger_once(
    journal: Journal,
) -> None:
    """As when a backtest is repeated; the newer one counts, and the chain fits."""
    archived(journal)
    again = a_decision(5, stake=42.0)
    journal.append([again, opened(again, a_trade(5))])
    lines = [line for line in journal.ledger() if line.decision.id == again.id]
    assert [line.decision.stake for line in lines] == [42.0]
    assert len(list(journal.ledger())) == N
    assert check_chain(journal.connection).breaks == []
    assert verify(journal.connection).bad == {}
