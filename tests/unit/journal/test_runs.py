"""Which run is the newest: the one that was made last, whenever its records arrived."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.journal.runs import newest_run, note_made
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, Origin
from tests.support.samples import BACKTEST, NOTED, ORIGIN, a_decision, a_trade, at

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal

OLD, NEW = replace(BACKTEST, run_id="old"), replace(BACKTEST, run_id="new")
BACKTESTS = Scope(modes=[Mode.BACKTEST])


def add(journal: Journal, origin: Origin, days: float, number: int = 1) -> None:
    """Append a trade of a run, recorded some days later."""
    recorded_at = NOTED + timedelta(days=days)
    journal.append([a_trade(number, origin=origin, recorded_at=recorded_at)])


def test_an_imported_run_is_as_old_as_its_result_file_says(journal: Journal) -> None:
    """An old result that is imported today does not become the newest run."""
    add(journal, NEW, days=0)
    add(journal, OLD, days=1)
    assert newest_run(journal, BACKTESTS) == OLD

    note_made(journal, OLD, NOTED - timedelta(days=30))
    assert newest_run(journal, BACKTESTS) == NEW


def test_the_latest_repetition_of_a_run_counts(journal: Journal) -> None:
    """The same run made again becomes the newest, although it adds no record."""
    add(journal, NEW, days=0)
    add(journal, OLD, days=-1)
    note_made(journal, OLD, NOTED + timedelta(days=1))
    note_made(journal, OLD, NOTED - timedelta(days=9))

    assert newest_run(journal, BACKTESTS) == OLD


def test_a_bot_is_as_new_as_its_last_trade(journal: Journal) -> None:
    """A trade that was recorded late is no newer for that."""
    sister = replace(ORIGIN, run_id="sister")
    add(journal, ORIGIN, days=0, number=50)
    add(journal, sister, days=9, number=1)

    assert newest_run(journal, Scope(modes=[Mode.DRY_RUN])) == ORIGIN


def test_a_run_without_decisions_can_be_left_out(journal: Journal) -> None:
    """The ledger knows nothing of a run that was imported."""
    decision = a_decision(1, origin=OLD)
    trade = a_trade(1, origin=OLD)
    tie = Opened(decision_id=decision.id, trade_id=trade.id, open_date=at(1))
    journal.append([decision, tie, trade])
    add(journal, NEW, days=1)

    assert newest_run(journal, BACKTESTS) == NEW
    assert newest_run(journal, BACKTESTS, with_decisions=True) == OLD
    assert newest_run(journal, Scope(strategy="Nobody")) is None
