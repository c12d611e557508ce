"""What stakes are computed from stands apart from the bodies of records."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.append import Confirmed
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.verify import verify
from tests.support.known import known
from tests.support.samples import (
    BACKTEST,
    ORIGIN,
    a_note,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 28, tzinfo=UTC)
SISTER = replace(ORIGIN, run_id="sister")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal with all that stakes depend on."""
    journal = Journal(tmp_path)
    trades = [a_trade(n, profit_ratio=0.01 * n - 0.03) for n in range(8)]
    journal.append([*trades, a_note(1), a_promotion(), a_risk_event(1), a_risk_event(2)])
    journal.append([a_trade(n, origin=BACKTEST, pair="BTC/USDT") for n in range(20, 25)])
    journal.adopt([a_trade(n, origin=SISTER) for n in range(30, 34)])
    journal.adopt([a_trade(40)])
    journal.append([Confirmed(record_id=a_trade(40).id), a_retraction(trades[0].id)])
    journal.append([replace(trades[1], profit_ratio=-0.5)])
    return journal


def changed(path: Path, statement: str) -> None:
    """Change a file behind the journal's back."""
    with closing(sqlite3.connect(path)) as sqlite:
        assert sqlite.execute(statement).rowcount > 0
        sqlite.commit()


def test_nothing_that_moves_a_stake_is_read_from_bodies(journal: Journal) -> None:
    """Recall, priors, risk events and the trades of the risk detectors stay, bit for bit."""
    before = known(journal)
    assert [bool(part) for part in before] == [True] * len(before)
    changed(journal.path, "UPDATE records SET body = 'gone'")

    assert known(journal) == before
    assert list(journal.records()) == []


def test_a_changed_row_of_evidence_is_no_evidence_and_is_made_anew(journal: Journal) -> None:
    """SQLite calls the file intact; the doctor names the row, salvage makes it from the body."""
    before = known(journal)
    changed(journal.path, "UPDATE evidence SET facts = zeroblob(length(facts)) WHERE seq = 3")

    assert list(verify(journal.connection).bad) == [f"evidence {a_trade(2).id}"]
    assert known(journal) != before
    journal.close()
    done = salvage(journal.path, NOW)
    assert done is not None
    assert done.lost_records == 0
    assert verify(journal.connection).bad == {}
    assert known(journal) == before


def test_a_damaged_number_of_a_word_takes_no_other_row_out(journal: Journal) -> None:
    """However far it is from all others."""
    journal.append([a_trade(number) for number in range(100, 200)])
    n_whole = len(list(journal.evidence.trades(Scope())))
    changed(journal.path, "UPDATE evidence SET pair = -9223372036854775808 WHERE seq = 3")
    assert len(list(journal.evidence.trades(Scope()))) == n_whole - 1


def test_evidence_that_is_missing_is_named_and_made_anew(journal: Journal) -> None:
    """As a version before it could leave a file, if it wrote to one of the present format."""
    before = known(journal)
    changed(journal.path, "DELETE FROM evidence WHERE seq > 3")

    assert verify(journal.connection).bad
    journal.close()
    assert salvage(journal.path, NOW) is not None
    assert known(journal) == before


@pytest.mark.parametrize("damage", ["facts = NULL", "id = 7", "id = 1e300"])
def test_a_row_that_can_not_be_read_takes_its_earlier_version_out(
    journal: Journal, damage: str
) -> None:
    """In a file of an earlier format, a newer version's correction, say."""
    ids = [trade.id for trade in OwnRecords(journal, ORIGIN).trades()]
    changed(journal.path, f"UPDATE evidence SET {damage} WHERE seq = 3")  # noqa: S608

    assert [trade.id for trade in OwnRecords(journal, ORIGIN).trades()] == [
        each for each in ids if each != a_trade(2).id
    ]


def test_a_trade_is_about_as_large_as_promised(tmp_path: Path) -> None:
    """With its indexes: see docs/concepts/life-cycle.md."""
    journal = Journal(tmp_path)
    situation = {f"feature_{n}": 0.123456 * n for n in range(8)} | {"regime": "calm uptrend"}
    journal.append([a_trade(n, situation=situation, decision_id=a_trade(n).id) for n in range(999)])
    rows = journal.connection.rows(
        "SELECT sum(pgsize) FROM dbstat WHERE name LIKE 'evidence%' OR name IN ('words', 'scopes')"
    )
    journal.close()
    assert rows[0][0] / 999 < 230


def test_only_bots_and_runs_asked_for_are_read(journal: Journal) -> None:
    """By run, and by pair."""
    of_pair = Scope(user_id="me", pair="BTC/USDT")
    assert {trade.pair for trade in journal.evidence.trades(of_pair)} == {"BTC/USDT"}
    of_run = Scope(run_id=SISTER.run_id)
    assert {trade.origin for trade in journal.evidence.trades(of_run)} == {SISTER}
