"""A provider of memories that end: for the time of a session, not for good."""

from __future__ import annotations

import asyncio
import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from freqtrade_mem0.client.asking import checked_user
from freqtrade_mem0.client.call_arguments import call_arguments
from freqtrade_mem0.client.conversation import conversation
from freqtrade_mem0.client.described import described_memory
from freqtrade_mem0.client.own_metadata import category_named, flat
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, record_id
from freqtrade_mem0.session_memory.opening import open_session_store
from freqtrade_mem0.session_memory.redis import RedisStore
from freqtrade_mem0.session_memory.session import Session, checked_ttl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.client.conversation import Messages
    from freqtrade_mem0.session_memory.store import SessionStore

_MEMORY = "memory."
"""Beginning of the keys of memories; other keys are of `put`."""


class SessionProvider:
    """`MemoryProvider` over session memory, and values by key (`put`, `get`).

    Its `search` knows words, not meanings. Each call reads or writes one user's values only.

    Parameters
    ----------
    store
        Where memories are kept; closed with the provider.
    ttl_seconds
        How long, (0, 31622400].
    refresh_on_read
        Whether `get` begins the time of a value anew.
    """

    def __init__(
        self, store: SessionStore, ttl_seconds: float = 3_600.0, *, refresh_on_read: bool = False
    ) -> None:
        self.store = store
        self._ttl_s = checked_ttl(ttl_seconds)
        self._refresh_on_read = refresh_on_read

    def session(self, user_id: str) -> Session:
        """Return the session of a user, for code that does not await."""
        return Session(
            self.store,
            checked_user(user_id),
            ttl_s=self._ttl_s,
            refresh_on_read=self._refresh_on_read,
        )

    async def add(
        self,
        *args: Any,
        user_id: str | None = None,
        messages: Messages | None = None,
        metadata: Mapping[str, Any] | None = None,
        text: str | None = None,
        category: str | None = None,
    ) -> str:
        """Keep a conversation or a text for the time of the session; return its id.

        The arguments are those of `AsyncMemoryProvider.add`. The same text is kept once.
        """
        said = messages if text is None else text
        given = {"user_id": user_id, "messages": said, "metadata": metadata}
        owner, told, own = call_arguments("add", args, given, needed=2)
        own = dict(own or {})
        filed_under = category or own.pop("category", None) or Category.LEARNING_INSIGHTS
        content, session = conversation(told), self.session(owner)
        memory_id = record_id("session", owner, content)
        kept = {
            "id": memory_id,
            "memory": content,
            "content": content,
            "metadata": {**flat(own), "category": str(category_named(filed_under))},
            "created_at": datetime.now(UTC).isoformat(),
        }
        await asyncio.to_thread(session.put, f"{_MEMORY}{memory_id}", kept)
        return memory_id

    async def search(
        self,
        *args: Any,
        user_id: str | None = None,
        query: str | None = None,
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the memories of a user that share words with a query, the most first.

        The arguments are those of `AsyncMemoryProvider.search`; filters are keys of the metadata
        with the values that they must have.
        """
        given = {"user_id": user_id, "query": query, "limit": limit, "filters": filters}
        owner, asked, most, passing = call_arguments("search", args, given, needed=2)
        wanted = _words(asked)
        if not wanted:
            raise RecordError(f"There is no word in the query {asked!r} to search for.")
        found = []
        for memory in await self.get_all(owner):
            score = len(wanted & _words(memory["memory"])) / len(wanted)
            if score > 0.0 and _passes(memory["metadata"], passing or {}):
                found.append(memory | {"score": score})
        found.sort(key=lambda memory: -memory["score"])
        return found[: 10 if most is None else most]

    async def get_all(
        self, *args: Any, user_id: str | None = None, limit: int | None = None
    ) -> list[dict[str, Any]]:
        """Return all memories of a user that have not ended, newest first."""
        given = {"user_id": user_id, "limit": limit}
        owner, most = call_arguments("get_all", args, given, needed=1)
        items = await asyncio.to_thread(self.session(owner).items)
        found = [value for key, value in items.items() if key.startswith(_MEMORY)]
        found.sort(key=lambda memory: memory["created_at"], reverse=True)
        return found if most is None else found[:most]

    async def delete(
        self, *args: Any, user_id: str | None = None, memory_id: str | None = None
    ) -> bool:
        """Delete one memory; return whether it was there and this user's."""
        given = {"user_id": user_id, "memory_id": memory_id}
        owner, named = call_arguments("delete", args, given, needed=2)
        return await asyncio.to_thread(self.session(owner).delete, f"{_MEMORY}{named}")

    async def put(self, user_id: str, key: str, value: Any, ttl_s: float | None = None) -> None:
        """Keep a value under a key; see `Session.put`."""
        session = self.session(user_id)
        await asyncio.to_thread(session.put, _own_key(key), value, ttl_s=ttl_s)

    async def get(self, user_id: str, key: str, *, refresh: bool | None = None) -> Any:
        """Return the value under a key, or None; see `Session.get`."""
        session = self.session(user_id)
        return await asyncio.to_thread(session.get, _own_key(key), refresh=refresh)

    async def clear(self, user_id: str) -> int:
        """Delete everything of a user's session; return how many values there were."""
        return await asyncio.to_thread(self.session(user_id).clear)

    async def aclose(self) -> None:
        """Release connections. Closing twice is harmless."""
        await asyncio.to_thread(self.store.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_raised: object) -> None:
        await self.aclose()


def get_session_memory(
    config: Mapping[str, Any] | Path | str | None = None,
    *,
    user_data_dir: Path | str | None = None,
) -> SessionProvider:
    """Open the session memory that `mem0.session` of a config describes.

    The parameters are those of `get_mem0_client`; raises `ConfigError` as that does.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> config = {"mem0": {"session": {"store": "sqlite", "ttl_s": 60}}}
    >>> with TemporaryDirectory() as folder:
    ...     session = get_session_memory(config, user_data_dir=folder).session("ann")
    ...     session.put("plan", {"pair": "ETH/USDT"})
    ...     print(session.get("plan"))
    {'pair': 'ETH/USDT'}
    """
    memory = described_memory(config, user_data_dir=user_data_dir)
    own = memory.settings.session
    store = open_session_store(own, memory.folder)
    return SessionProvider(store, own.ttl_s, refresh_on_read=own.refresh_on_read)


class RedisProvider(SessionProvider):
    """Session memory in Redis; needs the extra `redis`.

    Parameters
    ----------
    url
        For example `redis://localhost:6379`. Nothing is sent before the first call.
    ttl_seconds
        How long memories are kept, (0, 31622400].
    prefix
        Beginning of all keys in Redis.
    refresh_on_read
        Whether `get` begins the time of a value anew.

    Raises
    ------
    ConfigError
        The package `redis` is missing, or the address is none of Redis.
    RecordError
        `ttl_seconds` breaks its rule.
    """

    def __init__(
        self,
        url: str = "redis://localhost:6379",
        ttl_seconds: float = 3_600.0,
        prefix: str = "freqtrade_mem0:",
        *,
        refresh_on_read: bool = False,
    ) -> None:
        checked_ttl(ttl_seconds)
        super().__init__(RedisStore(url, prefix), ttl_seconds, refresh_on_read=refresh_on_read)


def _own_key(key: object) -> str:
    return f"value.{key}" if isinstance(key, str) and key else ""


def _words(text: object) -> set[str]:
    return set(re.findall(r"\w+", str(text).lower()))


def _passes(metadata: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    return all(json.dumps(metadata.get(key)) == json.dumps(value) for key, value in filters.items())
