"""A session of a backtest, over Freqtrade's own list of closed trades."""

from __future__ import annotations

import logging
import math
from typing import TYPE_CHECKING

import pytest
from freqtrade.enums import RunMode
from freqtrade.persistence import LocalTrade

from freqtrade_mem0.host.backtest_state import BacktestTrades
from freqtrade_mem0.host.freqtrade import timeframe_seconds
from freqtrade_mem0.host.run_kind import RunKind, run_kind
from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.from_trade import trade_id_of
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.real_trades import a_backtests_trades, close_trade, open_trade
from tests.support.samples import BACKTEST, a_trade, at
from tests.support.session_stage import a_backtest_stage, proposal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_trades() -> Iterator[None]:
    """Leave Freqtrade's lists as they were."""
    with a_backtests_trades():
        yield


def test_a_trade_leaves_decision_fill_and_outcome() -> None:
    """The outcome comes with the next decision, from Freqtrade's closed trade."""
    stage = a_backtest_stage()
    decision = stage.session.decide(proposal(0))
    stage.session.entry_confirmed("ETH/USDT", "long")
    trade = open_trade()
    close_trade(trade, 2_100.0, at(3))
    later = stage.session.decide(proposal(4))

    trade_id = trade_id_of(trade, BACKTEST)
    record = stage.entries[-1]
    assert [Decision, Opened, TradeRecord] == [type(entry) for entry in stage.entries]
    assert isinstance(record, TradeRecord)
    assert (trade_id, decision.id, trade.close_profit) == (
        record.id,
        record.decision_id,
        record.profit_ratio,
    )
    assert (decision.multiplier, later.multiplier > 1.0) == (1.0, True)


def test_each_closed_trade_is_handed_out_once() -> None:
    """However often it is asked for, and whatever comes in between."""
    trades = BacktestTrades()
    assert trades.take_new() == (True, [])
    first = close_trade(open_trade(), 2_100.0, at(1))
    assert trades.take_new() == (False, [first])
    assert trades.take_new() == (False, [])
    second = close_trade(open_trade(number=2, moment=at(2)), 2_100.0, at(3))
    assert trades.last_of_run() == [second]
    assert trades.last_of_run() == []
    assert trades.take_new() == (False, [])


def test_before_any_decision_there_is_no_run_to_end() -> None:
    """Trades of somebody else's backtest in this process are not ours."""
    close_trade(open_trade(), 2_100.0, at(1))

    assert BacktestTrades().last_of_run() == []
    stage = a_backtest_stage()
    stage.session.end_run()
    assert stage.entries == []


def test_a_new_list_is_a_new_run_that_knows_nothing() -> None:
    """A hyperopt epoch after another: nothing leaks, open trades and decisions neither."""
    stage = a_backtest_stage()
    stage.session.decide(proposal(0))
    close_trade(open_trade(), 2_100.0, at(1))
    stage.session.decide(proposal(2, pair="BTC/USDT"))
    stage.session.entry_confirmed("BTC/USDT", "long")
    assert stage.n_known(at(3)) > 0.9
    LocalTrade.reset_trades()
    first = stage.session.decide(proposal(0))

    assert (first.multiplier, stage.n_known(at(100))) == (1.0, 0.0)
    close_trade(open_trade("BTC/USDT", number=2, moment=at(2)), 2_100.0, at(3))
    stage.session.end_run()
    assert len(stage.written(TradeRecord)) == 2
    assert stage.written(Opened) == []


def test_a_run_that_another_one_follows_keeps_its_risk_events() -> None:
    """Nobody says that it has ended; its trades are looked at when the next one begins."""
    stage = a_backtest_stage()
    for profit in (1_900.0, 2_100.0):
        LocalTrade.reset_trades()
        stage.session.decide(proposal(0))
        stage.session.entry_confirmed("ETH/USDT", "long")
        trade = open_trade()
        close_trade(trade, profit, at(1), reason="stop_loss" if profit < 2_000.0 else "roi")
        stage.session.decide(proposal(2))
    stage.session.end_run()

    assert [e.event_type for e in stage.entries if isinstance(e, RiskEvent)] == ["stop_loss"]


def test_an_epoch_that_nobody_records_decides_as_a_backtest_does() -> None:
    """What would be written of its trades is not even made ready."""
    answers = []
    for is_recorded in (True, False):
        stage = a_backtest_stage(is_recorded=is_recorded)
        LocalTrade.reset_trades()
        stage.session.decide(proposal(0))
        stage.session.entry_confirmed("ETH/USDT", "long")
        close_trade(open_trade(), 1_900.0, at(1), reason="stop_loss")
        decision = stage.session.decide(proposal(2))
        stage.session.end_run()
        answers.append((decision.multiplier, decision.reasons))
        n_trades = len(stage.written(TradeRecord)) + len(stage.written(RiskEvent))
        assert n_trades == 2 * is_recorded

    assert answers[0] == answers[1]
    assert answers[0][0] != 1.0


def test_the_same_run_again_says_the_same() -> None:
    """Same ids and same content, so that nothing is doubled in the journal."""
    stage = a_backtest_stage()
    for _ in range(2):
        LocalTrade.reset_trades()
        stage.session.decide(proposal(0))
        stage.session.entry_confirmed("ETH/USDT", "long")
        trade = open_trade()
        close_trade(trade, 1_900.0, at(1), reason="stop_loss")
        stage.session.decide(proposal(2))
        stage.session.end_run()

    half = len(stage.entries) // 2
    assert [Decision, Opened, TradeRecord, RiskEvent] == [type(e) for e in stage.entries[:half]]
    assert stage.entries[:half] == stage.entries[half:]


def test_a_new_run_knows_its_prior_again() -> None:
    """And only its prior."""
    stage = a_backtest_stage(prior=Prior(trades=(a_trade(1, closed_at=at(-5)),), discount=0.5))
    stage.session.decide(proposal(0))
    close_trade(open_trade(), 2_100.0, at(1))
    stage.session.decide(proposal(2))
    LocalTrade.reset_trades()
    stage.session.decide(proposal(0))

    assert stage.n_known(at(2)) == pytest.approx(0.5, abs=1e-2)


def test_a_losing_streak_does_not_go_on_into_the_next_run() -> None:
    """Four losses, then one in another run, are no five in a row."""
    stage = a_backtest_stage()
    for first, n in ((0, 4), (10, 1)):
        LocalTrade.reset_trades()
        stage.session.decide(proposal(first))
        for hour in range(first, first + n):
            close_trade(open_trade(number=hour, moment=at(hour)), 1_990.0, at(hour + 0.5))
        stage.session.end_run()

    assert len(stage.written(TradeRecord)) == 5
    assert stage.written(RiskEvent) == []


def test_the_end_of_a_run_takes_in_what_closed_last() -> None:
    """Force-exits at the end of the data: recorded, but no evidence and no event."""
    stage = a_backtest_stage()
    stage.session.decide(proposal(0))
    close_trade(open_trade(), 1_900.0, at(1), reason="force_exit")
    stage.session.end_run()
    stage.session.end_run()

    (record,) = stage.entries
    assert isinstance(record, TradeRecord)
    assert not record.is_evidence
    assert stage.n_known(at(9)) == 0.0


def test_what_closed_last_is_still_found_after_freqtrade_began_anew() -> None:
    """The last trades of a run belong to it, not to the list Freqtrade made since."""
    stage = a_backtest_stage()
    stage.session.decide(proposal(0))
    trade = close_trade(open_trade(), 2_100.0, at(1))
    LocalTrade.reset_trades()
    stage.session.end_run()

    assert [trade_id_of(trade, BACKTEST)] == [
        entry.id for entry in stage.entries if isinstance(entry, TradeRecord)
    ]


@pytest.mark.parametrize(
    ("runmode", "expected"),
    [
        ("backtest", RunKind.BACKTEST),
        ("hyperopt", RunKind.HYPEROPT),
        ("util_no_exchange", RunKind.ANALYSIS),
        ("dry_run", RunKind.DRY_RUN),
        ("live", RunKind.LIVE),
        ("plot", None),
        ("webserver", None),
        ("util_exchange", None),
        ("other", None),
        (None, None),
    ],
)
def test_memory_takes_part_in_known_run_modes_alone(
    runmode: str | None, expected: RunKind | None
) -> None:
    """As Freqtrade's own enumeration, or as text."""
    assert run_kind({"runmode": runmode}) is expected
    if runmode is not None:
        assert run_kind({"runmode": RunMode(runmode)}) is expected
    assert run_kind({}) is None


def test_what_a_run_kind_means() -> None:
    """Bots live by the wall clock; hyperopt and analyses write nothing."""
    assert [kind for kind in RunKind if kind.is_bot] == [RunKind.DRY_RUN, RunKind.LIVE]
    assert [kind for kind in RunKind if kind.writes] == [
        RunKind.BACKTEST,
        RunKind.DRY_RUN,
        RunKind.LIVE,
    ]


@pytest.mark.parametrize(("timeframe", "expected"), [("1m", 60), ("4h", 14_400), ("1d", 86_400)])
def test_a_timeframe_has_a_length(timeframe: str, expected: int) -> None:
    """In seconds, as Freqtrade has it."""
    assert expected == timeframe_seconds(timeframe)


def test_a_trade_that_can_not_be_recorded_is_said_and_holds_up_no_other(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """One sentence when the run is written down; what was closed beside it is recorded."""
    journal = Journal(tmp_path)
    writer = JournalWriter(journal, background=False)
    session = a_backtest_stage(writer.submit).session
    session.decide(proposal(0))
    broken = close_trade(open_trade(), 2_100.0, at(1))
    broken.open_rate = math.nan
    sound = close_trade(open_trade("BTC/USDT", number=2), 2_100.0, at(2))
    session.end_run()
    with caplog.at_level(logging.WARNING):
        assert writer.flush(5.0)

    assert [record.id for _, record in journal.records()] == [trade_id_of(sound, BACKTEST)]
    (said,) = caplog.messages
    assert "open_rate must be a finite number" in said
    journal.close()
