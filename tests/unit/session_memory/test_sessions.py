"""Sessions and their provider: values of one owner, for a time."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import AgentMemory, RedisProvider, SessionProvider, get_session_memory
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.errors import BackendError, ConfigError, RecordError
from freqtrade_mem0.lifecycle.forget.files import delete_in_files
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.session_memory.in_process import InProcessStore
from freqtrade_mem0.session_memory.session import Session
from tests.support.redis_server import RedisServer

if TYPE_CHECKING:
    from pathlib import Path


class Clock:
    """A clock that tests move."""

    seconds = 0.0

    def __call__(self) -> float:
        """Return its seconds."""
        return self.seconds


@pytest.mark.parametrize("value", [None, 0, "", {"a": [1.5, None, True]}, "ä\x00\u202e"])
def test_values_come_back_as_they_were(value: Any) -> None:
    """Whatever JSON has."""
    session = Session(InProcessStore(), "ann", ttl_s=60.0)
    session.put("key", value)
    assert (session.get("key"), session.items()) == (value, {"key": value})


@pytest.mark.parametrize(
    ("key", "value", "ttl_s", "message"),
    [
        ("", 1, 1.0, "A key of a session must be a text"),
        (7, 1, 1.0, "A key of a session must be a text"),
        ("a", object(), 1.0, "can not be kept as JSON"),
        ("a", float("nan"), 1.0, "can not be kept as JSON"),
        ("a", "x" * 1_000_001, 1.0, "at most 1,000,000 are kept"),
        ("a", 1, 0, "A time to live must be a number of seconds"),
        ("a", 1, float("nan"), "A time to live must be a number of seconds"),
        ("a", 1, "60", "A time to live must be a number of seconds"),
        ("a", 1, True, "A time to live must be a number of seconds"),
    ],
)
def test_what_can_not_be_kept_is_refused(key: Any, value: Any, ttl_s: Any, message: str) -> None:
    """With the rule; nothing is kept."""
    session = Session(InProcessStore(), "ann", ttl_s=60.0)
    with pytest.raises(RecordError, match=message):
        session.put(key, value, ttl_s=ttl_s)
    assert session.items() == {}


def test_a_read_refreshes_as_configured_or_as_asked() -> None:
    """Off unless it is said."""
    clock = Clock()
    store = InProcessStore(now=clock)
    plain = Session(store, "ann", ttl_s=10.0)
    fresh = Session(store, "ann", ttl_s=10.0, refresh_on_read=True)
    for name in ("a", "b", "c", "d"):
        plain.put(name, 1)
    clock.seconds = 6.0
    reads = [
        plain.get("a"),
        plain.get("b", refresh=True),
        fresh.get("c"),
        fresh.get("d", refresh=False),
    ]
    assert reads == [1, 1, 1, 1]
    clock.seconds = 12.0
    assert sorted(plain.items()) == ["b", "c"]


def test_what_something_else_wrote_is_said() -> None:
    """Instead of a value that nobody put there."""
    store = InProcessStore()
    store.put("ann", "a", "not json", 60.0)
    with pytest.raises(BackendError, match="something else wrote it"):
        Session(store, "ann", ttl_s=60.0).get("a")


def test_a_provider_keeps_memories_of_a_session() -> None:
    """In Redis: found by words, by user, deleted, ended; values by key beside them."""

    async def play(url: str) -> None:
        async with RedisProvider(url, ttl_seconds=600, prefix="memory:") as memory:
            told = [{"role": "user", "content": "Dips recover fast"}]
            first = await memory.add("ann", told)
            again = await memory.add(told, user_id="ann", category="insights")
            other = await memory.add("ann", "No leverage on Sundays", {"topic": "risk"})
            await memory.add("bob", "dips fail")
            assert first == again
            found = await memory.search("ann", "which dips recover?", limit=1)
            assert [each["id"] for each in found] == [first]
            assert await memory.search("ann", "sundays", filters={"topic": "x"}) == []
            assert len(await memory.search("ann", "sundays", filters={"topic": "risk"})) == 1
            await memory.put("ann", "plan", {"step": 1})
            assert await memory.get("ann", "plan") == {"step": 1}
            assert [each["id"] for each in await memory.get_all("ann", 1)] == [other]
            assert not await memory.delete("bob", first)
            assert await memory.delete("ann", first)
            assert await memory.clear("ann") == 2
            assert len(await memory.get_all("bob")) == 1

    with RedisServer() as server:
        asyncio.run(play(server.url))
        assert [server.direct.pttl(name) > 0 for name in server.names()] == [True]


@pytest.mark.parametrize("user_id", ["", "*", "a b"])
def test_a_user_must_be_one(user_id: str) -> None:
    """As everywhere."""
    with pytest.raises(RecordError):
        SessionProvider(InProcessStore()).session(user_id)


def test_the_config_says_where(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And for how long; REDIS_URL overrides the address."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    config: dict[str, Any] = {"mem0": {"session": {"store": "sqlite", "ttl_s": 60}}}
    for _ in range(2):
        session = get_session_memory(config, user_data_dir=tmp_path).session("ann")
        session.put("n", (session.get("n") or 0) + 1)
    assert session.get("n") == 2
    config["mem0"]["session"] = {"store": "redis"}
    monkeypatch.setenv("REDIS_URL", "nonsense")
    with pytest.raises(ConfigError, match="is no address of Redis"):
        get_session_memory(config, user_data_dir=tmp_path)
    config["mem0"]["session"] = {"url": "redis://:hunter2@host"}
    with pytest.raises(ConfigError, match="Put it into REDIS_URL") as raised:
        load_settings(config)
    assert "hunter2" not in str(raised.value)


def test_agents_have_sessions_of_their_own(tmp_path: Path) -> None:
    """In one file; forgetting the user ends them."""
    config = {"mem0": {"mode": "local", "user_id": "ann", "session": {"store": "sqlite"}}}
    agents = [AgentMemory(name, tmp_path, config=config) for name in ("a", "b")]
    agents[0].session.put("plan", 1)
    assert [agent.session.get("plan") for agent in agents] == [1, None]
    delete_in_files(agents[0].client.folder, ForgetScope(user_id="an"), lambda: None)
    assert agents[0].session.get("plan") == 1
    delete_in_files(agents[0].client.folder, ForgetScope(user_id="ann"), lambda: None)
    assert agents[0].session.items() == {}
    for agent in agents:
        agent.close()


def test_forgetting_a_user_ends_the_sessions(tmp_path: Path) -> None:
    """Those of others stay; forgetting one strategy ends none."""
    config = {"mem0": {"mode": "local", "user_id": "ann", "session": {"store": "sqlite"}}}
    provider = get_session_memory(config, user_data_dir=tmp_path)
    for user in ("ann", "bob"):
        provider.session(user).put("a", 1)
    settings = load_settings(config)
    assert settings is not None
    memory = MemoryFolder(settings, tmp_path)
    for scope, left in (
        (ForgetScope(user_id="ann", strategy="S"), 1),
        (ForgetScope(user_id="ann"), 0),
    ):
        delete_in_files(memory, scope, lambda: None)
        assert len(provider.session("ann").items()) == left
    assert provider.session("bob").items() == {"a": 1}
    memory.close()
