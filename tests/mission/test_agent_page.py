"""The page of an agent's memory: what it stores today, and what later versions bring."""

from __future__ import annotations

import asyncio
import runpy
import sys
from typing import TYPE_CHECKING

import pytest

import freqtrade_mem0
from freqtrade_mem0 import MemoryConnector, TradeMemory, get_mem0_client
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.errors import Mem0Error

if TYPE_CHECKING:
    from pathlib import Path


def test_the_folder_is_that_of_the_variable(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Relative to the working folder, with a slash at its end."""
    monkeypatch.setenv("MEM_MEMORY_PATH", "data/mem_knowledge/")
    with get_mem0_client() as client:
        client.store("learning_insights", "support held")
        assert (here / "data" / "mem_knowledge" / "journal.sqlite").is_file()
        assert "mem_knowledge" in repr(client)


def test_decisions_and_parameters_can_be_kept_as_notes() -> None:
    """With nested values that are found; the outcome is told as a trade."""
    with get_mem0_client() as client:
        client.store(
            "learning_insights",
            "momentum: BUY with confidence 0.85",
            {"strategy": "momentum", "decision": {"action": "BUY", "confidence": 0.85}},
        )
        client.store(
            "user_preferences", "threshold raised", {"from": {"x": 0.04}, "to": {"x": 0.05}}
        )
        assert client.recall(filters={"decision.confidence": {"gte": 0.8}})
        assert client.recall(filters={"to.x": 0.05, "from.x": 0.04})
        memory = TradeMemory(client)
        memory.record_trade(
            {"symbol": "BTCUSDT", "qty": 0.1, "side": "BUY", "entry": 65_000, "exit": 65_650}
        )
        assert memory.get_success_rate(pool="BTCUSDT", action_type="BUY") == 1.0


@pytest.mark.parametrize("name", ["MemGPTConnector", "ZepProvider"])
def test_a_name_that_is_not_here_is_answered_with_ours(name: str) -> None:
    """One sentence says what to use."""
    with pytest.raises(ImportError, match=f"There is no {name} in freqtrade_mem0; use "):
        getattr(freqtrade_mem0, name)


def test_a_connector_answers_an_agent(here: Path) -> None:
    """Initialized, asked about a market, and consulted around an order, each call awaited."""

    async def trade() -> None:
        connector = MemoryConnector(agent_id="trader_001", memory_path="data/mem_knowledge/")
        await connector.initialize()
        assert (here / "data" / "mem_knowledge" / "journal.sqlite").is_file()
        market = {"symbol": "BTCUSDT", "timeframe": "5m"}
        response = await connector.send_command("analyze_market", market)
        assert response["pair"] == "BTC/USDT"

        signal = {"symbol": "BTCUSDT", "action": "BUY", "qty": 0.1, "strategy": "momentum"}
        found = await connector.analyze_signal(signal)
        decision = {**signal, "mem_confidence": found["confidence"], "mem_reason": found["reason"]}
        kept = await connector.log_decision(decision, {"status": "filled", "pnl": 500.0})
        assert kept == await connector.log_decision(decision)
        with pytest.raises(Mem0Error, match="Memory places no orders"):
            await connector.send_command("place_order", {"symbol": "BTCUSDT"})

    asyncio.run(trade())


def test_an_agent_needs_no_arguments(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder is that of the variable, and nothing is initialized before the first call."""
    monkeypatch.setenv("MEM_MEMORY_PATH", "data/mem_knowledge/")
    connector = MemoryConnector()
    found = asyncio.run(connector.analyze_signal({"symbol": "BTCUSDT", "action": "BUY"}))
    assert (found["multiplier"], found["is_known"]) == (1.0, False)
    assert not (here / "data").exists()


def test_an_agent_can_be_started_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m freqtrade_mem0.agents --agent-id ...`."""
    monkeypatch.delitem(sys.modules, "freqtrade_mem0.agents.__main__", raising=False)
    runpy.run_module("freqtrade_mem0.agents", run_name="agents")


def test_the_log_of_an_agent_can_be_read() -> None:
    """Decisions, parameters and rules."""
    with pytest.raises(SystemExit) as end:
        main(["agent", "--help"])
    assert end.value.code == 0
