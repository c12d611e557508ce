"""The guide for a trading system: key, client, categories, `TradeMemory`, trouble."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import Mem0Client, TradeMemory, get_mem0_client, initialize_mem0
from freqtrade_mem0.errors import RecordError
from tests.servers.mem0_platform import PlatformServer
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOSED: dict[str, Any] = {
    "trade_id": "T-17",
    "asset": "BTC/USD",
    "action": "BUY",
    "entry_price": 40_000,
    "exit_price": 40_400,
    "pnl": 125,
    "strategy": "momentum_7",
    "duration_minutes": 30,
}
SIX: dict[str, dict[str, Any]] = {
    "user_preferences": {"leverage": 3, "style": "careful"},
    "market_conditions": {"window": "2d"},
    "strategy_performance": {"strategy": "momentum_7", "asset": "BTC/USD", "win": True, "pnl": 1},
    "risk_profile": {"level": 2},
    "portfolio_patterns": {"pattern_type": "recovery", "duration_days": 4},
    "learning_insights": {"confidence": 0.7, "sample_size": 40},
}


@pytest.fixture
def client() -> Iterator[Mem0Client]:
    """The client without a config."""
    with get_mem0_client() as client:
        yield client


@pytest.fixture
def memory(client: Mem0Client) -> TradeMemory:
    """The memory of trades on it."""
    return TradeMemory(client)


def test_the_key_is_found_in_order(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Argument, variable, file; without any, this machine remembers."""

    def source() -> str:
        with PlatformServer(key="m0-x") as server:
            config = {"mem0": {"mode": "platform", "host": server.url}}
            with get_mem0_client(config) as client:
                client.store("risk_profile", "reached with the key")
                return str(len(server.items))

    with get_mem0_client() as client:
        assert client.folder.settings.mode == "embedded"
    (here / ".env.mem0").write_text("M0_API_KEY=m0-x\n", encoding="utf-8")
    assert source() == "1"
    (here / ".env.mem0").unlink()
    monkeypatch.setenv("M0_API_KEY", "m0-x")
    assert source() == "1"
    with initialize_mem0(api_key="m0-y", config={"mem0": {"mode": "local"}}) as client:
        assert client.folder.settings.mode == "local"


def test_a_platform_that_is_away_loses_nothing() -> None:
    """The connection is refused, and the journal answers."""
    config = {"mem0": {"mode": "platform", "host": "http://127.0.0.1:9", "timeout_s": 1}}
    with get_mem0_client(config, api_key="m0-x") as client:
        assert client.store("user_preferences", "spot only")
        assert client.recall("user_preferences", limit=5)[0]["memory"] == "spot only"


@pytest.mark.parametrize("category", SIX)
def test_each_category_keeps_what_is_stored(client: Mem0Client, category: str) -> None:
    """By position and by name, with metadata that filters find, as a list and as a mapping."""
    own = SIX[category]
    client.store(category, f"about {category}", metadata=own)

    (found,) = client.recall(category, limit=10)
    assert found["content"] == found["memory"] == f"about {category}"
    assert own.items() <= found["metadata"].items()
    for key, value in own.items():
        assert client.recall(filters={key: value}), key
    assert len(client.memories[category]) == 1
    age = datetime.now(UTC) - datetime.fromisoformat(found["timestamp"])
    assert timedelta(0) <= age < timedelta(minutes=5)


def test_a_trade_is_told_and_asked_for(memory: TradeMemory) -> None:
    """It is true that it was stored; performance and insights know it."""
    assert memory.record_trade(CLOSED)
    assert memory.record_trade(CLOSED)
    memory.record_trade({**CLOSED, "asset": "ETH/USD", "trade_id": "T-18"})

    (known,) = memory.recall_strategy_performance(asset="BTC/USD")
    assert (known["profit_abs"], known["profit_ratio"]) == (125.0, pytest.approx(0.01))
    assert {key: known[key] for key in CLOSED} == CLOSED
    assert len(memory.recall_strategy_performance(limit=20)) == 2
    assert "momentum_7: 2.0 trades" in f"{memory.get_strategy_insights('momentum_7')}"
    assert "Nothing is known" in str(memory.get_strategy_insights("never_seen"))
    json.dumps(memory.recall_strategy_performance())  # a service can answer with it


def test_a_trade_in_five_keys_is_remembered_and_proves_nothing(memory: TradeMemory) -> None:
    """Nobody said at which prices, so no ratio is known."""
    short = {key: CLOSED[key] for key in ("asset", "action", "strategy", "pnl", "duration_minutes")}
    assert memory.record_trade(short)
    assert memory.recall_strategy_performance("momentum_7")[0]["profit_ratio"] is None
    assert memory.get_success_rate(strategy="momentum_7") == 0.5


def test_a_trade_whose_exit_is_not_known_yet_costs_nothing(memory: TradeMemory) -> None:
    """`x or 0` in a caller's code is no loss of everything."""
    memory.record_trade({**CLOSED, "exit_price": 0, "pnl": 0})
    assert memory.recall_strategy_performance()[0]["profit_ratio"] is None


def test_risk_events_and_markets_are_told_in_sentences(memory: TradeMemory) -> None:
    """By position and by name; the impact stays the sentence it is."""
    assert memory.record_risk_event("liquidation_warning", "near the price", "Halve the size")
    assert memory.record_risk_event(
        event_type="drawdown", description="minus 8 %", impact="Medium - watch"
    )
    assert memory.record_market_condition("uptrend", "higher lows")
    events = memory.mem0.recall("risk_profile", limit=10)
    assert {each["metadata"]["impact"] for each in events} == {"Halve the size", "Medium - watch"}
    assert memory.mem0.recall(filters={"condition": "uptrend"})


def test_cleaning_up_old_memories_changes_no_rate(memory: TradeMemory) -> None:
    """The loop over old memories compares ISO times and deletes by id."""
    memory.record_trade({**CLOSED, "close_date": datetime.now(UTC) - timedelta(days=3)})
    before = memory.get_success_rate(strategy="momentum_7")
    cutoff = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for each in memory.mem0.recall("strategy_performance", limit=1000):
        if each["timestamp"] < cutoff:
            assert memory.mem0.delete(each["id"])
    assert memory.mem0.recall("strategy_performance") == []
    assert memory.get_success_rate(strategy="momentum_7") == before == 1.0


def test_switches_of_the_file_are_obeyed(here: Path) -> None:
    """What is off is not stored, and the caller is told."""
    text = "MEM0_ENABLED=true\nMEM0_STORE_RISK_PROFILE=false\nMEM0_SYNC_INTERVAL=300\n"
    (here / ".env.mem0").write_text(f"{text}MEM0_MAX_TRADE_MEMORIES=1000\n", encoding="utf-8")
    with get_mem0_client() as client:
        settings = client.folder.settings
        assert (settings.sync_interval, settings.retention.max_trades) == (300, 1000)
        with pytest.raises(RecordError, match=r"mem0\.categories\.risk_profile"):
            client.store("risk_profile", "x")


def test_a_service_takes_trades_and_events(here: Path) -> None:
    """The three endpoints: a trade as JSON, a strategy in the path, an event in the query."""
    with served(here, no_auth=True) as site, site.client() as client:
        answer = client.post("/api/memory/record-trade", json=CLOSED).json()
        assert (answer["status"], answer["message"]) == ("success", "Trade T-17 recorded")
        found = client.get("/api/memory/strategy-performance/momentum_7").json()
        assert found["strategy"] == "momentum_7"
        assert found["memories"][0]["trade_id"] == "T-17"
        assert "1.0 trades" in found["insights"]["text"]
        event = {"event_type": "drawdown", "description": "minus 8 %", "impact": "High"}
        answer = client.post("/api/memory/record-risk-event", params=event).json()
        assert answer["status"] == "success"


def test_calls_of_mem0s_own_client_are_answered() -> None:
    """A text or messages with roles are added, for this owner or a named one, and found."""
    with get_mem0_client() as client:
        kept = client.add(
            "Market is in uptrend with increasing volume", metadata={"type": "market_condition"}
        )
        (found,) = client.search("market trends uptrend", limit=5)
        assert (found["id"], found["metadata"]["type"]) == (kept, "market_condition")
        talk = [
            {"role": "user", "content": "Leverage?"},
            {"role": "assistant", "content": "None."},
        ]
        client.add(talk, user_id="ann", category="preferences")
        assert [each["memory"] for each in client.get_all(user_id="ann")] == [
            "user: Leverage?\nassistant: None."
        ]
        assert len(client.get_all()) == 1
