"""Memories reach an agent before it runs, by the chosen strategy; a fault never stops the agent."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from freqtrade_mem0 import inject_memory
from freqtrade_mem0.errors import BackendError, RecordError


@dataclass
class Remembering:
    """A provider with three memories, an hour apart and of falling relevance."""

    asked: list[tuple[Any, ...]] = field(default_factory=list)
    is_away: bool = False
    user_id_field: str = "user.id"

    def _all(self) -> list[dict[str, Any]]:
        now = datetime.now(UTC)
        return [
            {
                "memory": text,
                "score": score,
                "timestamp": (now - timedelta(hours=n, minutes=1)).isoformat(),
            }
            for n, (text, score) in enumerate([("new", 0.9), ("older", 0.7), ("oldest", 0.2)])
        ]

    async def add(self, user_id: str, messages: Any, metadata: Any = None) -> str:
        """Add nothing."""
        return f"{user_id} {messages} {metadata}"

    async def search(
        self, user_id: str, query: str, limit: int = 10, filters: Any = None
    ) -> list[dict[str, Any]]:
        """Return the best."""
        if self.is_away:
            raise BackendError("Mem0 is away.")
        self.asked.append(("search", user_id, query, limit, filters))
        return self._all()[:limit]

    async def get_all(self, user_id: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Return the newest."""
        self.asked.append(("get_all", user_id, limit))
        return self._all()[:limit]

    async def delete(self, user_id: str, memory_id: str) -> bool:
        """Delete nothing."""
        return user_id == memory_id


def context(memory: Remembering) -> Any:
    """Return a context as an agent gets it."""
    return SimpleNamespace(memory=memory, user=SimpleNamespace(id="ann"))


@pytest.mark.parametrize(
    ("chosen", "given", "asked"),
    [
        ({}, ["new", "older"], ("search", "ann", "hello", 10, None)),
        ({"strategy": "relevant", "min_relevance": 0.8}, ["new"], None),
        ({"max_memories": 1}, ["new"], ("search", "ann", "hello", 1, None)),
        (
            {"strategy": "recent", "time_window_hours": 1.5},
            ["new", "older"],
            ("get_all", "ann", 10),
        ),
        ({"strategy": "all", "max_memories": 50}, ["new", "older", "oldest"], None),
    ],
)
def test_an_agent_gets_the_memories_chosen(
    chosen: dict[str, Any], given: list[str], asked: tuple[Any, ...] | None
) -> None:
    """As an attribute of its context, whichever way its arguments are given."""
    memory = Remembering()

    @inject_memory(**chosen)
    async def chat(message: str, ctx: Any) -> list[str]:
        return [f"{each['memory']}" for each in ctx.memories] + [message]

    assert asyncio.run(chat("hello", context(memory))) == [*given, "hello"]
    assert asyncio.run(chat(ctx=context(memory), message="hello")) == [*given, "hello"]
    assert asked is None or memory.asked[0] == asked


def test_the_user_is_where_the_provider_says() -> None:
    """Attributes or keys with dots; an argument user_id comes first."""
    memory = Remembering(user_id_field="session.owner.name")

    @inject_memory("all", provider=memory)
    async def chat(ctx: Any, user_id: str | None = None) -> str:
        return f"{len(ctx['memories'])} {user_id}"

    ctx = {"session": SimpleNamespace(owner={"name": "bob"})}
    assert asyncio.run(chat(ctx)) == "3 None"
    assert asyncio.run(chat(ctx, user_id="eve")) == "3 eve"
    assert [each[1] for each in memory.asked] == ["bob", "eve"]
    with pytest.raises(TypeError, match="its context no 'session"):
        asyncio.run(chat({}))


def test_a_fault_of_memory_does_not_stop_the_agent(caplog: pytest.LogCaptureFixture) -> None:
    """It runs without memories, and the log says so; a wrong use is an error."""
    memory = Remembering(is_away=True)

    @inject_memory()
    async def chat(message: str, ctx: Any) -> str:
        return f"{message} {ctx.memories}"

    assert asyncio.run(chat("hello", context(memory))) == "hello []"
    assert "The agent goes on without memories" in caplog.text
    with pytest.raises(TypeError, match="There is no memory to inject from"):
        asyncio.run(chat("hello", SimpleNamespace()))
    with pytest.raises(TypeError, match="decorates a coroutine function"):
        inject_memory()(lambda message: message)


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        ({"strategy": "best"}, "strategy 'best' is unknown; there are relevant, recent, all"),
        ({"max_memories": 0}, "max_memories must be at least 1"),
        ({"min_relevance": 1.5}, r"min_relevance must lie in \[0, 1\]"),
        ({"strategy": "all", "min_relevance": 0.5}, "goes with 'relevant', and not with 'all'"),
        ({"time_window_hours": 24}, "time_window_hours goes with 'recent'"),
        ({"strategy": "recent", "time_window_hours": 0}, "must be above 0"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused(chosen: dict[str, Any], sentence: str) -> None:
    """When the decorator is made, not when the agent runs."""
    with pytest.raises(RecordError, match=sentence):
        inject_memory(**chosen)
