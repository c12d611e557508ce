"""Risk events: which closed trades are one, and which complete one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.risk import STREAK_LENGTH, RiskWatch
from tests.unit.samples import a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.records.trade import TradeRecord


def losses(n: int, first: int = 1, ratio: float = -0.01) -> list[TradeRecord]:
    """Return so many losing trades that left by a signal."""
    return [
        a_trade(number, profit_ratio=ratio, exit_reason="exit_signal")
        for number in range(first, first + n)
    ]


def noted(trades: list[TradeRecord]) -> list[str]:
    """Return the event types that some trades make, in order."""
    watch = RiskWatch()
    return [event.event_type for trade in trades for event in watch.closed(trade)]


@pytest.mark.parametrize(
    ("exit_reason", "expected"),
    [
        ("liquidation", ["liquidation"]),
        ("stop_loss", ["stop_loss"]),
        ("stoploss_on_exchange", ["stop_loss"]),
        ("emergency_exit", ["emergency_exit"]),
        ("force_exit", ["force_exit"]),
        ("roi", []),
        ("exit_signal", []),
        ("trailing_stop_loss", []),
        ("my own reason", []),
        ("", []),
    ],
)
def test_the_way_a_trade_ends_makes_it_an_event(exit_reason: str, expected: list[str]) -> None:
    """Freqtrade's exit reasons, on and off the exchange; a trailing stop is an ordinary exit."""
    assert expected == noted([a_trade(1, profit_ratio=-0.04, exit_reason=exit_reason)])


def test_an_event_says_what_it_cost_and_where() -> None:
    """Text, impact, pair, and the market time of the trade."""
    trade = a_trade(1, profit_ratio=-0.04, exit_reason="stop_loss")
    (event,) = RiskWatch().closed(trade)

    assert (
        "stop loss of long ETH/USDT at -4.00%",
        -0.04,
        "ETH/USDT",
        trade.known_at,
        trade.recorded_at,
        trade.origin,
        record_id("risk_event", trade.id, "stop_loss"),
    ) == (
        event.description,
        event.impact,
        event.pair,
        event.known_at,
        event.recorded_at,
        event.origin,
        event.id,
    )


def test_a_streak_is_noted_once_when_it_is_complete() -> None:
    """Not before, and not again while it goes on."""
    assert noted(losses(STREAK_LENGTH - 1)) == []
    assert noted(losses(STREAK_LENGTH)) == ["losing_streak"]
    assert noted(losses(3 * STREAK_LENGTH)) == ["losing_streak"]


def test_a_streak_sums_up_its_losses() -> None:
    """It concerns the account, not the pair of the last trade."""
    watch = RiskWatch()
    events = [event for trade in losses(STREAK_LENGTH) for event in watch.closed(trade)]

    assert [(event.pair, event.description) for event in events] == [
        ("", "5 losing trades in a row, -5.00% together")
    ]
    assert events[0].impact == pytest.approx(-0.05)


@pytest.mark.parametrize("ratio", [0.01, 0.0])
def test_any_trade_that_did_not_lose_ends_a_streak(ratio: float) -> None:
    """Then it takes as many losses again."""
    trades = [*losses(4), a_trade(50, profit_ratio=ratio), *losses(4, first=60)]

    assert noted(trades) == []
    assert noted([*trades, *losses(1, first=70)]) == ["losing_streak"]


def test_a_stop_can_be_an_event_and_complete_a_streak() -> None:
    """Both are noted, under ids of their own."""
    stop = a_trade(99, profit_ratio=-0.04, exit_reason="stop_loss")
    watch = RiskWatch()
    for trade in losses(STREAK_LENGTH - 1):
        watch.closed(trade)
    events = watch.closed(stop)

    assert [event.event_type for event in events] == ["stop_loss", "losing_streak"]
    assert len({event.id for event in events}) == 2


def test_trades_that_are_no_evidence_are_not_looked_at() -> None:
    """Those cut by the end of a backtest's data neither are events nor end a streak."""
    cut = a_trade(50, profit_ratio=0.5, exit_reason="force_exit", is_evidence=False)

    assert noted([cut]) == []
    assert noted([*losses(4), cut, *losses(1, first=60)]) == ["losing_streak"]
