"""Freqtrade's trades as records: Freqtrade's own numbers, or a refusal."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC
from typing import Any

import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.codec import content_hash, encode
from freqtrade_mem0.records.from_trade import EntryContext, trade_record
from tests.support.real_trades import a_backtests_trades, close_trade, fill, open_trade
from tests.support.samples import BACKTEST, NOTED, ORIGIN, OrderStandIn, TradeStandIn, at

SAME_NAME = (
    "pair",
    "enter_tag",
    "exit_reason",
    "open_date",
    "close_date",
    "open_rate",
    "close_rate",
    "leverage",
    "fee_open",
    "fee_close",
    "funding_fees",
)
"""What a record and a Freqtrade trade call the same."""

REPORTED = ("amount", "stake_amount", "max_stake_amount", "profit_ratio", "profit_abs")
"""What Freqtrade rounds when it writes a result file; also its names for the profits."""


def freqtrades_numbers(trade: Any) -> dict[str, Any]:
    """Return what Freqtrade says of a trade, under a record's names."""
    reported = trade.to_json()
    return {name: getattr(trade, name) for name in SAME_NAME} | {
        **{name: reported[name] for name in REPORTED},
        "side": trade.trade_direction,
        "n_entries": trade.nr_of_successful_entries,
        "n_exits": trade.nr_of_successful_exits,
    }


def numbers_of(trade: Any) -> dict[str, Any]:
    """Return the same of the record made of a trade."""
    record = trade_record(trade, BACKTEST, NOTED)
    return {name: getattr(record, name) for name in freqtrades_numbers(trade)}


def test_a_spot_trade_has_freqtrades_numbers() -> None:
    """Profit after both fees equals Freqtrade's, to the last digit."""
    with a_backtests_trades():
        trade = close_trade(open_trade(), 2_040.0, at(5))

    assert freqtrades_numbers(trade) == numbers_of(trade)
    assert trade.close_profit == pytest.approx((2_040 * 0.999) / (2_000 * 1.001) - 1, abs=1e-8)


def test_a_short_with_leverage_and_funding_has_freqtrades_numbers() -> None:
    """Leverage multiplies the ratio, funding is part of it, a falling price earns."""
    with a_backtests_trades():
        trade = open_trade("ETH/USDT:USDT", is_short=True, leverage=3.0)
        trade = close_trade(trade, 1_900.0, at(9), funding=-0.37)

    assert freqtrades_numbers(trade) == numbers_of(trade)
    record = trade_record(trade, BACKTEST, NOTED)
    assert (record.side, record.leverage, record.funding_fees) == ("short", 3.0, -0.37)
    assert record.profit_ratio > 0.1


def test_a_trade_built_up_and_sold_in_parts_has_freqtrades_numbers() -> None:
    """Two entries and two exits: rates are averages, the profit is that of the whole trade."""
    with a_backtests_trades():
        trade = open_trade(rate=2_000.0, amount=0.05)
        fill(trade, "buy", 1_900.0, 0.05, at(1))
        fill(trade, "sell", 2_050.0, 0.04, at(2))
        trade = close_trade(trade, 2_100.0, at(3))

    assert freqtrades_numbers(trade) == numbers_of(trade)
    record = trade_record(trade, BACKTEST, NOTED)
    assert (record.n_entries, record.n_exits) == (2, 2)
    assert record.max_stake_amount == pytest.approx(195.0)


def test_a_record_knows_when_its_outcome_became_known() -> None:
    """`known_at` is the fill that closed the trade, aware and in UTC, also from naive times."""
    record = trade_record(TradeStandIn().close(0.01, hours=2), ORIGIN, NOTED)

    assert (at(2), at(2), at(), NOTED) == (
        record.known_at,
        record.close_date,
        record.open_date,
        record.recorded_at,
    )
    assert record.known_at.tzinfo is UTC


def test_a_record_carries_what_was_known_at_entry() -> None:
    """Decision and situation are kept with the outcome they led to."""
    context = EntryContext(decision_id="d-1", situation={"rsi": 30.0})
    record = trade_record(TradeStandIn().close(0.01), ORIGIN, NOTED, context)

    assert (record.decision_id, record.situation) == ("d-1", {"rsi": 30.0})


def test_what_freqtrade_leaves_open_is_neutral() -> None:
    """Spot trades of old databases lack leverage, funding, fees and tags."""
    trade = TradeStandIn(leverage=None, fee_close=None, max_stake_amount=None, enter_tag=None)
    trade.close(0.01)
    trade.exit_reason = None
    record = trade_record(trade, ORIGIN, NOTED)

    assert (
        record.leverage,
        record.fee_close,
        record.funding_fees,
        record.max_stake_amount,
        record.enter_tag,
        record.exit_reason,
    ) == (1.0, 0.0, 0.0, 100.0, "", "")


def test_the_end_of_a_backtests_data_is_no_evidence() -> None:
    """A trade cut off there says nothing about the strategy; a bot's forced exit does."""
    cut = TradeStandIn().close(-0.02, reason="force_exit")

    assert not trade_record(cut, BACKTEST, NOTED).is_evidence
    assert trade_record(cut, ORIGIN, NOTED).is_evidence
    assert trade_record(TradeStandIn().close(-0.02), BACKTEST, NOTED).is_evidence


def test_an_open_trade_is_refused() -> None:
    """There is no outcome yet."""
    with pytest.raises(RecordError, match="Trade 1 in ETH/USDT is still open"):
        trade_record(TradeStandIn(), ORIGIN, NOTED)


def test_a_close_date_alone_is_no_outcome() -> None:
    """Freqtrade sets the close date before an exit is confirmed, and leaves it there."""
    trade = TradeStandIn().close(0.01)
    trade.is_open = True

    with pytest.raises(RecordError, match="still open"):
        trade_record(trade, ORIGIN, NOTED)


@pytest.mark.parametrize("name", ["close_profit", "close_profit_abs", "open_rate", "amount"])
@pytest.mark.parametrize("value", [math.nan, math.inf, None])
def test_a_number_that_is_none_is_refused_by_name(name: str, value: float | None) -> None:
    """NaN, infinity and nothing are named with the trade they stand in."""
    trade = TradeStandIn().close(0.01)
    setattr(trade, name, value)

    with pytest.raises(RecordError, match=f"ETH/USDT: {name} must be a finite number, got {value}"):
        trade_record(trade, ORIGIN, NOTED)


def test_a_trade_without_a_filled_entry_is_refused() -> None:
    """Nothing identifies it over a restart."""
    trade = TradeStandIn(orders=[OrderStandIn("x", "buy", 0.0)]).close(0.01)

    with pytest.raises(RecordError, match="no filled entry order"):
        trade_record(trade, ORIGIN, NOTED)


def test_making_a_record_leaves_the_trade_alone() -> None:
    """The trade is Freqtrade's; it is only read."""
    with a_backtests_trades():
        trade = close_trade(open_trade(), 2_040.0, at(5))
        before = dict(vars(trade))
        trade_record(trade, BACKTEST, NOTED)

    assert before == vars(trade)


@pytest.mark.parametrize(
    ("exit_reason", "filled", "expected"),
    [("roi", 0.5, True), ("roi", 0.0, False), ("stoploss_on_exchange", 1.0, False)],
)
def test_a_stop_that_sold_a_part_is_noted(exit_reason: str, filled: float, expected: bool) -> None:
    """Freqtrade gives one exit reason; the orders say what else sold."""
    trade = TradeStandIn().close(0.01)
    trade.exit_reason = exit_reason
    trade.orders.append(OrderStandIn("stop", "stoploss", filled))
    record = trade_record(trade, ORIGIN, NOTED)
    assert record.stop_sold_part is expected
    ordinary = replace(record, stop_sold_part=False)
    assert (content_hash(record) == content_hash(ordinary)) is not expected
    assert '"stop_sold_part":false,"told":null,"execution":null}' in encode(ordinary)
