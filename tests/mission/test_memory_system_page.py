"""The page of a memory system for a trading agent: its calls, shapes, defaults and names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

import freqtrade_mem0
from freqtrade_mem0 import Mem0Client, TradeMemory, get_mem0_client
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Iterator

POOL = "USDC-WETH"


@pytest.fixture
def client() -> Iterator[Mem0Client]:
    """A client with a config in Mem0's form, which names no embedder of its own."""
    config = {"history_db_path": "./history.db", "version": "v1.1", "llm": None}
    with get_mem0_client(config) as client:
        yield client


@pytest.fixture
def memory(client: Mem0Client) -> TradeMemory:
    """The memory of trades on it."""
    return TradeMemory(client)


def swapped(memory: TradeMemory, profit: float, **changes: Any) -> str:
    """Store the result of a swap; return its id."""
    action = {"type": "swap", "pool": POOL, "tokens": ["USDC", "WETH"], "amounts": [100.0, 0.05]}
    result = {"success": profit > 0, "profit": profit, "gas_used": 0.001, "tx_hash": "0x1"}
    return memory.store_trade_result(action, {**result, **changes}, {"volatility": "high"})


def test_results_are_stored_and_similar_ones_recalled(memory: TradeMemory) -> None:
    """Of one pool and action, the newest first, at most the limit, with all that was told."""
    swapped(memory, 5.0)
    last = swapped(memory, -2.0)

    found = memory.recall_similar_trades(pool=POOL, action_type="swap", limit=5)
    assert len(found) == 2
    assert found[0]["id"] == last
    assert memory.recall_similar_trades(POOL, "add_liquidity") == []
    told = found[0]["metadata"]
    assert (told["tokens.1"], told["amounts.0"], told["gas_used"]) == ("WETH", 100.0, 0.001)
    assert told["market_context.volatility"] == "high"


def test_the_success_rate_is_a_number(memory: TradeMemory) -> None:
    """Half where nothing is known; of a pool, an action and a window of days."""
    assert memory.get_success_rate() == 0.5
    assert isinstance(memory.get_success_rate(POOL, "swap", 30), float)
    for days, ratio in ((1, 0.01), (2, -0.01), (3, 0.02), (90, -0.01)):
        memory.record_trade(
            {
                "pool": POOL,
                "action": "long",
                "profit_ratio": ratio,
                "timestamp": datetime.now(UTC) - timedelta(days=days),
            }
        )
    assert memory.get_success_rate(pool=POOL) == pytest.approx(2 / 3)
    assert memory.get_success_rate(pool=POOL, action_type="buy", time_window_days=365) == 0.5
    assert memory.get_success_rate(action_type="sell") == 0.5
    said = memory.explain_success_rate(POOL)
    assert (said["n_trades"], said["low"] < 2 / 3 < said["high"]) == (3, True)


def test_a_memory_is_updated_and_searched(client: Mem0Client) -> None:
    """Text and metadata are merged; filters and words find it."""
    kept = client.store("patterns", "stable pools recover", {"type": "pattern", "confidence": 0.7})
    assert client.update(memory_id=kept, text="stable pools recover fast", metadata={"n": 9})
    (found,) = client.recall(query="which pools recover", limit=10, filters={"category": "pattern"})
    assert (found["memory"], found["metadata"]["confidence"]) == ("stable pools recover fast", 0.7)
    assert 0.0 < found["score"] <= 1.0
    both = client.recall_many(["pools recover", "fees"], limit=10)
    assert len(both) == 2


@pytest.mark.parametrize(
    "category",
    ["trades", "market_observations", "patterns", "failures", "opportunities", "user_preferences"],
)
def test_each_category_of_the_page_is_understood(client: Mem0Client, category: str) -> None:
    """As one of the six, in calls and in filters."""
    client.store(category, f"about {category}")
    assert client.recall(category)[0]["memory"] == f"about {category}"
    assert client.recall(filters={"category": category})


@pytest.mark.parametrize("name", mission.NAMES)
def test_classes_of_the_page_are_answered_with_ours(name: str) -> None:
    """An import says what to use; no other name is touched."""
    with pytest.raises(ImportError, match=f"There is no {name} in"):
        getattr(freqtrade_mem0, name)
    assert not hasattr(freqtrade_mem0, f"{name}s")


@pytest.mark.parametrize("name", mission.METHODS)
def test_methods_of_the_page_are_answered_with_ours(client: Mem0Client, name: str) -> None:
    """The sentence names a method that is there."""
    with pytest.raises(AttributeError, match=f"has no '{name}'; use ") as error:
        getattr(client, name)
    instead = str(error.value).partition("use ")[2].partition("(")[0]
    assert callable(getattr(client, instead))


def test_patterns_are_extracted(client: Mem0Client) -> None:
    """Without trades there is none."""
    assert client.extract_patterns() == []


def test_a_pruning_cycle_reports_what_it_did(memory: TradeMemory) -> None:
    """With the page's keys; what nobody said would go stays."""
    swapped(memory, 5.0)
    report = memory.mem0.execute_pruning_cycle()
    assert (report["initial_count"], report["final_count"]) == (1, 1)
    assert report["pruned"] == {"by_age": 0, "by_relevance": 0, "by_redundancy": 0}
    assert report["duration"] >= 0
    assert (report["patterns_extracted"], report["compressed"]) == (0, 0)
    assert report["reduction_ratio"] == 0
    assert memory.mem0.migrate_tiers().keys() >= {"hot_to_warm", "warm_to_cold", "cold_to_archive"}


def test_metrics_tell_tiers_categories_and_use(client: Mem0Client) -> None:
    """With the page's keys; what was asked for most comes first."""
    asked = client.store("patterns", "stable pools recover")
    client.store("market_observations", "volatility is high")
    for _ in range(3):
        client.recall("patterns", "which pools recover")

    metrics = client.collect_metrics()

    assert metrics["total_memories"] == 2
    assert metrics["tier_distribution"] == {"hot": 2, "warm": 0, "cold": 0, "archive": 0}
    assert metrics["category_distribution"] == {"learning_insights": 1, "market_conditions": 1}
    assert metrics["access_patterns"]["top_accessed"] == [(asked, 3)]
    assert metrics["access_patterns"]["total_accesses"] == 3
    assert metrics["access_patterns"]["avg_accesses"] == 3
    assert metrics["pruning"]["total_pruned"] == 0
    assert metrics["storage_usage"]["journal.sqlite"] > 0
