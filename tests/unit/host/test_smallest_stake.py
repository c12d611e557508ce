"""The smallest stake of an entry, from the market's description that Freqtrade has now."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from freqtrade_mem0.host.market import Markets

PAIR = "ETH/USDT"
CALL: dict[str, Any] = {
    "pair": PAIR,
    "min_stake": 10.0,
    "current_rate": 2_000.0,
    "side": "long",
    "leverage": 1.0,
}


def a_market(min_cost: float) -> dict[str, Any]:
    """Return a market as ccxt describes it."""
    limits = {"amount": {"min": 0.0}, "cost": {"min": min_cost}}
    return {"precision": {"amount": 0.001, "price": 0.01}, "limits": limits, "taker": 0.001}


def test_a_new_description_of_a_market_counts_from_the_next_entry_on() -> None:
    """Freqtrade reads the markets again while it runs; until then they are not worked out again."""
    described = {PAIR: a_market(50.0)}
    strategy = SimpleNamespace(
        dp=SimpleNamespace(market=described.get, _exchange=SimpleNamespace(precisionMode=4)),
        config={},
        stoploss=-0.1,
        order_types={},
    )
    markets = Markets(strategy)
    before = markets.smallest_stake(CALL)
    assert markets.smallest_stake(CALL) == before
    described[PAIR] = a_market(100.0)
    after = markets.smallest_stake(CALL)
    assert before is not None
    assert after is not None
    assert 50.0 < before < 100.0 < after
    assert markets.smallest_stake(CALL | {"min_stake": 500.0}) == 500.0
    assert markets.smallest_stake(CALL | {"pair": "BTC/USDT"}) == 10.0
