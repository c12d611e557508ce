"""Risk events that a trade is by the way it ended."""

from __future__ import annotations

import pytest

from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.risk.event_record import exit_event
from tests.support.samples import a_trade


@pytest.mark.parametrize(
    ("exit_reason", "expected"),
    [
        ("liquidation", "liquidation"),
        ("stop_loss", "stop_loss"),
        ("stoploss_on_exchange", "stop_loss"),
        ("emergency_exit", "emergency_exit"),
        ("force_exit", "force_exit"),
        ("roi", None),
        ("exit_signal", None),
        ("trailing_stop_loss", None),
        ("my own reason", None),
        ("", None),
    ],
)
def test_the_way_a_trade_ends_makes_it_an_event(exit_reason: str, expected: str | None) -> None:
    """Freqtrade's exit reasons, on and off the exchange; a trailing stop is an ordinary exit."""
    event = exit_event(a_trade(1, profit_ratio=-0.04, exit_reason=exit_reason))
    assert expected == (None if event is None else event.event_type)


def test_an_event_says_what_it_cost_and_where() -> None:
    """Text, impact, response, pair, and the market time of the trade."""
    trade = a_trade(1, profit_ratio=-0.04, exit_reason="stop_loss")
    event = exit_event(trade)

    assert event is not None
    assert (
        "stop loss of long ETH/USDT at -4.00%",
        -0.04,
        "ETH/USDT",
        "noted; stakes are not damped by it",
        trade.known_at,
        trade.recorded_at,
        trade.origin,
        record_id("risk_event", trade.id, "stop_loss"),
    ) == (
        event.description,
        event.impact,
        event.pair,
        event.response,
        event.known_at,
        event.recorded_at,
        event.origin,
        event.id,
    )


def test_a_trade_that_is_no_evidence_is_no_event() -> None:
    """Those cut by the end of a backtest's data."""
    assert exit_event(a_trade(1, exit_reason="force_exit", is_evidence=False)) is None


@pytest.mark.parametrize(
    ("exit_reason", "expected"),
    [("roi", "stop_loss"), ("stop_loss", "stop_loss"), ("emergency_exit", "emergency_exit")],
)
def test_a_trade_that_a_stop_sold_in_part_is_a_stop_loss(exit_reason: str, expected: str) -> None:
    """Also where the strategy sold the rest, unless that is an event of its own."""
    event = exit_event(a_trade(1, exit_reason=exit_reason, stop_sold_part=True))
    assert event is not None
    assert event.event_type == expected
