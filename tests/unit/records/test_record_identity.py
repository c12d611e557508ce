"""Record ids: the same fact has the same id for ever."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta, timezone

import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, Mode, Origin, record_id
from freqtrade_mem0.records.from_trade import trade_id_of
from tests.support.samples import BACKTEST, ORIGIN, OrderStandIn, TradeStandIn, at


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (
            ("trade", "me", "dry_run", "bot-1", "ETH/USDT", "long", "entry-1"),
            "5a2de442-599c-5898-bded-c041ea73d3e5",
        ),
        (
            ("trade", "me", Mode.BACKTEST, "run-1", "ETH/USDT", "long", 1704067200000),
            "3b886a3a-8111-521c-a72f-f21ea46997d2",
        ),
        (
            ("decision", "me", "Sample", "backtest", "run-1", "ETH/USDT", "long", 1704067200000),
            "16591963-c5ce-55d6-87a3-b5cd7e13dda8",
        ),
        (("note", "wörter ✓", 0.1), "e87f3da2-6d15-5caa-b554-16b20991bcd7"),
    ],
    ids=["bot trade", "backtest trade", "decision", "unicode and float"],
)
def test_ids_never_change(identity: tuple[str | float, ...], expected: str) -> None:
    """Another id for the same fact would double every record written so far."""
    assert expected == record_id(*identity)


def test_parts_are_kept_apart() -> None:
    """Moving a character from one part to the next makes another id."""
    assert record_id("ab", "c") != record_id("a", "bc")
    assert record_id("1") != record_id(1)


def test_a_bots_trade_is_identified_by_its_first_filled_entry_order() -> None:
    """An order that never filled does not identify a trade, nor do later orders."""
    trade = TradeStandIn(
        orders=[
            OrderStandIn("cancelled", "buy", 0.0),
            OrderStandIn("entry-1", "buy"),
            OrderStandIn("entry-2", "buy"),
        ]
    )

    assert trade_id_of(trade, ORIGIN) == "5a2de442-599c-5898-bded-c041ea73d3e5"


def test_a_backtests_trade_is_identified_by_pair_side_and_open_date() -> None:
    """Order ids go on counting from backtest to backtest; the market time does not."""
    trade = TradeStandIn(id=812, orders=[OrderStandIn("4711", "buy")])

    assert trade_id_of(trade, BACKTEST) == "3b886a3a-8111-521c-a72f-f21ea46997d2"


def test_a_reused_trade_number_is_another_trade() -> None:
    """Freqtrade gives the number of a trade that never filled to the next one."""
    first = TradeStandIn(id=7, orders=[OrderStandIn("a", "buy")])
    second = TradeStandIn(id=7, orders=[OrderStandIn("b", "buy")])

    assert trade_id_of(first, ORIGIN) != trade_id_of(second, ORIGIN)


def test_a_naive_open_date_is_utc() -> None:
    """Freqtrade's database gives naive times, its backtest aware ones: the trade is the same."""
    aware = TradeStandIn(open_date=at())
    elsewhere = TradeStandIn(open_date=at().astimezone(timezone(timedelta(hours=5, minutes=30))))

    assert trade_id_of(aware, BACKTEST) == trade_id_of(TradeStandIn(), BACKTEST)
    assert trade_id_of(elsewhere, BACKTEST) == trade_id_of(TradeStandIn(), BACKTEST)


@pytest.mark.parametrize(
    "other",
    [
        replace(ORIGIN, user_id="you"),
        replace(ORIGIN, run_id="bot-2"),
        replace(ORIGIN, mode=Mode.LIVE),
    ],
    ids=["user", "run", "mode"],
)
def test_the_same_order_elsewhere_is_another_trade(other: Origin) -> None:
    """Owners, bots and run modes never share a trade."""
    assert trade_id_of(TradeStandIn(), ORIGIN) != trade_id_of(TradeStandIn(), other)


def test_a_trade_without_a_filled_entry_has_no_identity() -> None:
    """A bot's trade whose entry never filled is refused rather than guessed at."""
    trade = TradeStandIn(orders=[OrderStandIn("entry-1", "buy", 0.0), OrderStandIn("x", "sell")])

    with pytest.raises(RecordError, match="Trade 1 in ETH/USDT has no filled entry order"):
        trade_id_of(trade, ORIGIN)


def test_category_names_are_fixed() -> None:
    """Users and other tools rely on the six names."""
    assert list(Category) == [
        "user_preferences",
        "market_conditions",
        "strategy_performance",
        "risk_profile",
        "portfolio_patterns",
        "learning_insights",
    ]
