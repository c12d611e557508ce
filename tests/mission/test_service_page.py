"""The page of a memory service: results of backtests, searches, variables, operation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import TradeMemory, get_mem0_client
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METRICS: dict[str, Any] = {"profit": 12.5, "trades": 40, "win_rate": 0.55, "by": {"long": 9.0}}


@pytest.fixture
def memory() -> Iterator[TradeMemory]:
    """The memory of an empty folder."""
    with get_mem0_client() as client:
        yield TradeMemory(client)


def test_a_result_is_stored_with_nested_metrics_and_found(memory: TradeMemory) -> None:
    """By its type, its strategy, its time, and a bound on a metric."""
    memory.record_backtest("Trend", METRICS, {"timestamp": "2024-06-27T10:00:00Z"})
    memory.record_backtest("Range", {**METRICS, "profit": 3.0, "sharpe": float("nan")})

    for wanted in (
        {"strategy": "Trend"},
        {"metrics.profit": {"gt": 10.0}},
        {"metrics.by.long": 9.0, "strategy": "Trend"},
        {"timestamp": {"gte": "2024-01-01", "lte": "2024-06-28"}},
        {"AND": [{"type": "backtest"}, {"strategy": "Trend"}]},
    ):
        found = memory.mem0.recall(filters=wanted)
        assert [each["metadata"]["strategy"] for each in found] == ["Trend"], wanted
    found = memory.mem0.recall(query="backtest results of Range", filters={"type": "backtest"})
    assert len(found) == 2
    assert "metrics.sharpe" not in found[0]["metadata"] | found[1]["metadata"]


@pytest.mark.parametrize("kind", ["backtest", "live", "analysis"])
def test_each_type_of_the_format_is_kept(memory: TradeMemory, kind: str) -> None:
    """As the caller's own word, and found by it."""
    memory.mem0.store("learning_insights", f"a {kind}", {"type": kind, "metrics": METRICS})
    assert memory.mem0.recall(filters={"type": kind})[0]["metadata"]["type"] == kind


def test_the_variables_say_where_things_are(monkeypatch: pytest.MonkeyPatch, here: Path) -> None:
    """A server's address, a vector store's, and where a service of ours listens."""
    monkeypatch.setenv("MEM0_HOST", "0.0.0.0")  # noqa: S104
    monkeypatch.setenv("MEM0_PORT", "8080")
    (here / ".env.mem0").write_text("MEM0_URL=http://localhost:8080\n", encoding="utf-8")
    settings = load_settings({"mem0": {}})
    assert settings is not None
    assert (settings.mode, settings.host) == ("server", "http://localhost:8080")
    assert (settings.service.host, settings.service.port) == ("0.0.0.0", 8080)  # noqa: S104


def test_state_is_shown(memory: TradeMemory) -> None:
    """How much is stored, where, and what waits."""
    memory.record_backtest("Trend", METRICS)
    stats = memory.mem0.stats()
    assert (stats["journal"]["total"], stats["pending"]) == (1, 0)


@pytest.mark.parametrize(
    "query",
    [
        "strategy:MyStrategy",
        "timestamp:[2024-01-01 TO 2024-06-27]",
        "profit:>10.0",
        "strategy:MyStrategy AND profit:>10.0",
    ],
)
def test_queries_are_understood(memory: TradeMemory, query: str) -> None:
    """In the language of the page, about results in its format."""
    memory.record_backtest("MyStrategy", METRICS, {"timestamp": "2024-06-27T10:00:00Z"})
    other = {**METRICS, "profit": 3.0}
    memory.record_backtest("Other", other, {"timestamp": "2024-06-28T00:00:00Z"})
    found = memory.mem0.recall(where=query)
    assert [each["metadata"]["strategy"] for each in found] == ["MyStrategy"]


@pytest.mark.parametrize("command", ["backup", "export", "maintain"])
def test_memory_is_kept_in_order(command: str) -> None:
    """Copies, exports, cleaning."""
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0


@pytest.mark.parametrize("command", ["serve", "keys"])
def test_the_routes_are_served(command: str) -> None:
    """Store, search, health, metrics, statistics, with keys and roles."""
    with pytest.raises(SystemExit) as end:
        main([command, "--help"])
    assert end.value.code == 0


def test_a_mistake_in_a_filter_is_named(memory: TradeMemory) -> None:
    """And finds nothing in silence no more."""
    with pytest.raises(RecordError, match=r"kind 'backtset' is unknown.* Did you mean 'backtest'"):
        memory.mem0.recall(filters={"kind": "backtset"})
