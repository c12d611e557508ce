"""A trade that somebody tells: other names are understood, and what is not told stays unknown."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import TradeMemory, get_mem0_client
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WHOLE: dict[str, Any] = {
    "trade_id": "A-7",
    "asset": "ETH/USD",
    "action": "sell",
    "entry_price": "2000",
    "exit_price": 1900,
    "pnl": 100,
    "strategy": "fade",
    "duration_minutes": 90,
}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[TradeMemory]:
    """An empty memory without Mem0."""
    with get_mem0_client({"mem0": {"mode": "local"}}, user_data_dir=tmp_path) as client:
        yield TradeMemory(client)


def told(memory: TradeMemory, trade: dict[str, Any]) -> dict[str, Any]:
    """Return the newest trade after telling one."""
    memory.record_trade(trade)
    return memory.recall_strategy_performance(limit=1)[0]


def test_other_names_mean_ours(memory: TradeMemory) -> None:
    """A short gains when the price falls; it was opened before it closed, and closed just now."""
    trade = told(memory, WHOLE)

    assert (trade["pair"], trade["side"], trade["profit_abs"]) == ("ETH/USD", "short", 100.0)
    assert trade["profit_ratio"] == pytest.approx(0.05)
    closed = datetime.fromisoformat(trade["close_date"])
    assert closed - datetime.fromisoformat(trade["open_date"]) == timedelta(minutes=90)
    assert abs(datetime.now(UTC) - closed) < timedelta(minutes=1)
    assert trade["is_evidence"]
    assert trade["metadata"]["trade_id"] == "A-7"


def test_one_trade_told_twice_is_one(memory: TradeMemory) -> None:
    """Its time stays what was told first; what is told anew is corrected."""
    first = told(memory, WHOLE)
    again = told(memory, WHOLE)
    corrected = told(memory, {**WHOLE, "exit_price": 1950, "pnl": 50})

    assert len(memory.recall_strategy_performance()) == 1
    assert again == first
    assert corrected["close_date"] == first["close_date"]
    assert corrected["profit_ratio"] == pytest.approx(0.025)


def test_trades_without_a_name_or_time_are_each_their_own(memory: TradeMemory) -> None:
    """Two equal ones at the same moment are two; with an open date they are one."""
    short = {"asset": "ETH/USD", "action": "BUY", "pnl": 1}
    dated = {**short, "open_date": "2024-03-01T10:00:00"}

    assert memory.record_trade(short) != memory.record_trade(short)
    assert memory.record_trade(dated) == memory.record_trade({**dated, "pnl": 2})


def test_what_is_not_told_is_null_and_no_evidence(memory: TradeMemory) -> None:
    """No number is made up: not in lists, not in metadata, not in the sentence."""
    trade = told(memory, {"asset": "ETH/USD", "action": "BUY", "pnl": 150, "strategy": "trend"})

    unknown = ("profit_ratio", "open_rate", "amount", "stake_amount", "open_date", "leverage")
    assert {trade[key] for key in unknown} == {None}
    assert not {"profit_ratio", "leverage", "open_ts"} & trade["metadata"].keys()
    assert trade["memory"] == "Closed long ETH/USD profit unknown, trend, exit unknown"
    assert memory.get_success_rate(strategy="trend") == 0.5
    said = (
        "Nothing is known about the strategy trend. 1 trade without a known profit ratio left out."
    )
    assert str(memory.get_strategy_insights("trend")) == said


@pytest.mark.parametrize("nothing", [0, None, 0.0, "0"])
def test_a_price_of_nothing_is_an_unknown_price(memory: TradeMemory, nothing: Any) -> None:
    """And no loss of everything; a profit of 0 beside it is not known either."""
    trade = told(memory, {**WHOLE, "exit_price": nothing, "pnl": nothing if nothing != "0" else 0})

    assert (trade["close_rate"], trade["profit_ratio"], trade["profit_abs"]) == (None, None, None)


@pytest.mark.parametrize(
    ("trade", "ratio"),
    [
        ({"profit_ratio": 0.01, "entry": 10, "exit": 20, "side": "long"}, 0.01),
        ({"pnl_percent": 1.5}, 0.015),
        ({"pnl": -5, "stake": 100, "entry": 10, "exit": 20, "side": "LONG"}, -0.05),
        ({"entry": 10, "exit": 11, "side": "Long", "leverage": 3}, 0.3),
        ({"entry": 10, "exit": 11, "side": "short"}, -0.1),
        ({"entry": 10, "exit": 11}, None),
        ({"entry": 10, "exit": 10.1, "side": "buy", "pnl": -0.5}, None),
        ({"action": "swap", "profit": 5, "amounts": [1, 2]}, None),
    ],
)
def test_where_the_profit_ratio_comes_from(
    memory: TradeMemory, trade: dict[str, Any], ratio: float | None
) -> None:
    """From what was told, else profit and stake, else prices and side; else it is not known."""
    assert told(memory, {"pair": "A/B", **trade})["profit_ratio"] == pytest.approx(ratio)


@pytest.mark.parametrize(
    "trade",
    [{"action": "SELL", "pnl": 250}, {"action": "BUY", "pnl": -250}],
)
def test_an_action_that_the_profit_contradicts_is_refused(
    memory: TradeMemory, trade: dict[str, Any]
) -> None:
    """Else a gain would be remembered as a loss."""
    prices = {"asset": "BTC/USD", "entry_price": 40_000, "exit_price": 44_000}
    with pytest.raises(RecordError, match=r"Correct the action \(BUY or LONG, SELL or SHORT"):
        memory.record_trade({**prices, **trade})


def test_other_keys_are_kept_and_found(memory: TradeMemory) -> None:
    """Nested ones under names with dots, lists by their places."""
    told(memory, {**WHOLE, "market_conditions": {"trend": "up"}, "tokens": ["ETH", "USD"]})
    told(memory, {**WHOLE, "trade_id": "B"})

    wanted: dict[str, Any]
    for wanted in ({"market_conditions.trend": "up"}, {"tokens.1": "USD"}, {"trade_id": "A-7"}):
        (found,) = memory.mem0.recall(filters=wanted)
        assert found["metadata"]["trade_id"] == "A-7"
    for wanted in ({"asset": "ETH/USD"}, {"symbol": ["ETH/USD"]}, {"pnl": {"gte": 100}}):
        assert len(memory.mem0.recall(filters=wanted)) == 2
    assert len(memory.mem0.recall(filters={"action": "SELL", "type": "trades"})) == 2
    assert memory.mem0.recall(filters={"action": "BUY"}) == []


def test_every_alias_is_a_key_that_trades_know(memory: TradeMemory) -> None:
    """The table names nothing that is not understood."""
    samples = {"side": "BUY", "strategy": "x", "trade_id": "7", "pair": "A/B", "enter_tag": "t"}
    for said, ours in mission.TRADE_KEYS.items():
        value = samples.get(ours, "2024-01-01" if ours.endswith("date") else 2)
        assert told(memory, {"pair": "A/B", said: value}), said


def test_similar_trades_are_of_one_market_or_situation(memory: TradeMemory) -> None:
    """The newest of pair and action; by situation the nearest; by words the best match."""
    for number, (side, rsi) in enumerate([("BUY", 20), ("SELL", 40), ("BUY", 60), ("BUY", 80)]):
        memory.record_trade(
            {
                "trade_id": number,
                "pair": "A/B",
                "side": side,
                "profit_pct": number,
                "close_date": datetime(2024, 1, 1 + number, tzinfo=UTC),
                "market_conditions": {"rsi": rsi, "trend": "up"},
            }
        )

    def ids(found: list[dict[str, Any]]) -> list[str]:
        return [each["metadata"]["trade_id"] for each in found]

    assert ids(memory.recall_similar_trades("A/B", "BUY", 2)) == ["3", "2"]
    assert ids(memory.recall_similar_trades("A/B", "SHORT")) == ["1"]
    near = memory.recall_similar_trades(situation={"rsi": 55, "trend": "up"}, limit=3)
    assert ids(near) == ["2", "1", "3"]
    assert memory.recall_similar_trades(situation={"trend": "down"}) == []
    assert len(memory.recall_similar_trades("a long trade of A/B", limit=9)) == 4
    with pytest.raises(RecordError, match="limit must be at least 1"):
        memory.recall_similar_trades("A/B", limit=0)


def test_three_parts_make_one_trade(memory: TradeMemory) -> None:
    """What was done, what came of it, and in which market."""
    memory.store_trade_result(
        {"type": "swap", "pool": "USDC-WETH", "tokens": ["USDC", "WETH"], "confidence": 0.7},
        {"success": True, "profit": 12.5, "gas_used": 0.002},
        {"volatility": "high"},
    )
    (trade,) = memory.recall_similar_trades("USDC-WETH", "swap")
    assert (trade["profit_abs"], trade["side"]) == (12.5, None)
    assert trade["metadata"]["market_context.volatility"] == "high"
    assert trade["metadata"]["decision_confidence"] == 0.7
