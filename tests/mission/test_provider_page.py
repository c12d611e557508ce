"""The page of a provider for agents: calls by user, injection, categories, deletion."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import Mem0Provider, RedisProvider, inject_memory
from freqtrade_mem0.errors import ConfigError
from tests.servers.mem0_platform import PlatformServer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

TALK = [
    {"role": "user", "content": "Do you like leverage?"},
    {"role": "assistant", "content": "No leverage for me."},
]

SERVICE = "One service: HTTP, keys, webhooks, metrics, encryption"


def play(scene: Callable[[Mem0Provider], Awaitable[Any]], **given: Any) -> Any:
    """Run a scene with a provider and close it."""

    async def run() -> Any:
        async with asyncio.timeout(300), Mem0Provider(**given) as memory:
            return await scene(memory)

    return asyncio.run(run())


def test_each_option_opens_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key from the environment or an argument, scopes, and where the user's id is."""

    async def mode(memory: Mem0Provider) -> str:
        return memory._client.folder.settings.mode

    assert play(mode) == "embedded"
    assert play(mode, api_key="m0-x") == "platform"
    monkeypatch.setenv("MEM0_API_KEY", "m0-x")
    assert play(mode, org_id="o", project_id="default", user_id_field="session.user") == "platform"
    (here / "config.json").write_text('{"mem0": {"mode": "local"}}', encoding="utf-8")
    assert play(mode) == "local"


def test_memories_of_an_agent_go_through_the_platform() -> None:
    """Added by name or position, searched, listed, deleted, each user for themselves."""

    async def scene(memory: Mem0Provider) -> None:
        kept = await memory.add(user_id="ann", messages=TALK, metadata={"category": "preferences"})
        assert isinstance(kept, str)
        assert await memory.add("bob", TALK) != kept
        found = await memory.search(user_id="ann", query="leverage", limit=5)
        assert "No leverage for me." in "\n".join(each["memory"] for each in found)
        found = await memory.search(
            user_id="ann", query="leverage", filters={"category": "preferences"}
        )
        assert [each["id"] for each in found] == [kept]
        for each in await memory.get_all("ann"):
            await memory.delete("ann", each["id"])
        assert await memory.get_all("ann") == []
        assert len(await memory.get_all("bob")) == 1

    with PlatformServer(key="m0-x") as server:
        play(scene, api_key="m0-x", config={"mem0": {"mode": "platform", "host": server.url}})


@pytest.mark.parametrize(
    "chosen",
    [
        {"strategy": "relevant", "max_memories": 10, "min_relevance": 0.1},
        {"strategy": "recent", "max_memories": 20, "time_window_hours": 24},
        {"strategy": "all", "max_memories": 50},
    ],
)
def test_an_endpoint_gets_memories_and_adds_its_own(chosen: dict[str, Any]) -> None:
    """`ctx.memories` before it runs, `ctx.memory` while it runs."""

    @inject_memory(**chosen)
    async def chat(message: str, ctx: Any) -> str:
        known = "\n".join(each["memory"] for each in ctx.memories)
        await ctx.memory.add(user_id=ctx.user.id, messages=[{"role": "user", "content": message}])
        return known

    async def scene(memory: Mem0Provider) -> list[str]:
        await memory.add("ann", TALK)
        ctx = SimpleNamespace(memory=memory, user=SimpleNamespace(id="ann"))
        other = SimpleNamespace(memory=memory, user=SimpleNamespace(id="bob"))
        return [await chat("leverage?", ctx), await chat("leverage?", other)]

    first, second = play(scene)
    assert "No leverage for me." in first
    assert second == ""


class PlainProvider:
    """The page's interface as it stands: no filters, no limit of `get_all`, nothing returned."""

    def __init__(self) -> None:
        self.kept: dict[str, list[dict[str, Any]]] = {}

    async def add(
        self, user_id: str, messages: list[dict[str, Any]], metadata: dict[str, Any] | None = None
    ) -> str:
        """Add a conversation."""
        kept = {"id": "1", "memory": messages[0]["content"], "metadata": metadata}
        self.kept.setdefault(user_id, []).append(kept)
        return "1"

    async def search(self, user_id: str, query: str, limit: int = 10) -> list[dict[str, Any]]:
        """Find all."""
        return [each for each in self.kept.get(user_id, []) if query][:limit]

    async def get_all(self, user_id: str) -> list[dict[str, Any]]:
        """Return all."""
        return self.kept.get(user_id, [])

    async def delete(self, user_id: str, memory_id: str) -> None:
        """Delete one."""
        self.kept[user_id] = [each for each in self.kept[user_id] if each["id"] != memory_id]


@pytest.mark.parametrize(("strategy", "n"), [("relevant", 1), ("recent", 0), ("all", 1)])
def test_a_provider_of_the_page_is_injected_from(strategy: str, n: int) -> None:
    """What it found counts as relevant; what has no time is not recent."""
    provider: Any = PlainProvider()

    @inject_memory(strategy=strategy, max_memories=1, provider=provider)
    async def chat(message: str, user_id: str, memories: list[Any]) -> int:
        return len(memories) if message and user_id else -1

    async def scene() -> Any:
        for _ in range(2):
            await provider.add("ann", TALK)
        return await chat("leverage?", "ann")

    assert asyncio.run(scene()) == n


def test_strategies_have_one_form_everywhere() -> None:
    """The same parameters of a recall by the provider, by its client and by the decorator."""

    async def scene(memory: Mem0Provider) -> None:
        await memory.add("ann", TALK)
        await memory.add("ann", "only BTC", {"category": "preferences"})
        for chosen in (
            {"strategy": "relevant", "max_memories": 1, "min_relevance": 0.05},
            {"strategy": "recent", "max_memories": 1, "time_window_hours": 24},
            {"strategy": "all", "max_memories": 1},
        ):
            query = "which leverage?" if chosen["strategy"] == "relevant" else None
            how: dict[str, Any] = dict(chosen)
            found = await memory.recall("ann", query, **how)
            same = memory._client.for_user("ann").recall(None, query, **how)
            assert [each["id"] for each in found] == [each["id"] for each in same]
            given = await inject_memory(**how).memories(memory, "ann", query or "")
            assert [each["id"] for each in given] == [each["id"] for each in same]
            assert len(found) == 1

    play(scene)


def test_a_config_of_mem0_is_taken() -> None:
    """Its vector store and its language model, without a key in it."""
    config = {
        "vector_store": {"provider": "qdrant", "config": {"host": "localhost", "port": 6333}},
        "llm": {"provider": "openai", "config": {"model": "gpt-4o-mini"}},
    }

    async def store(memory: Mem0Provider) -> Any:
        return memory._client.folder.settings.vector_store

    assert play(store, config=config).provider == "qdrant"


def test_memories_are_encrypted(here: Path) -> None:
    """`encryption_key` encrypts what is on this machine; without it, or with another, no entry."""

    async def scene(memory: Mem0Provider) -> None:
        await memory.add("ann", TALK)

    Mem0Provider(api_key="m0-x", encryption_key="a key")
    config = {"mem0": {"mode": "embedded"}}
    play(scene, config=config, encryption_key="a key")
    files = [path for path in here.rglob("*") if path.is_file()]
    assert not [path for path in files if b"leverage" in path.read_bytes()]
    for wrong in (None, "another key"):
        with pytest.raises(ConfigError, match="is encrypted"):
            Mem0Provider(config=config, encryption_key=wrong)


def test_a_session_has_a_memory_that_ends() -> None:
    """`RedisProvider` needs no server before its first call."""
    provider = RedisProvider(url="redis://localhost:6379", ttl_seconds=3600, prefix="memory:")
    assert RedisProvider(url="redis://localhost:6379", prefix="memory:").store is not provider.store
