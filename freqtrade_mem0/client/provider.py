"""Memory for agents and services that run in an event loop: four calls, each for one user.

For use outside Freqtrade. A few threads do the work, so the loop never waits.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeVar

from freqtrade_mem0.client.call_arguments import call_arguments
from freqtrade_mem0.errors import BackendError, Mem0Error

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType

    from freqtrade_mem0.client.conversation import Messages
    from freqtrade_mem0.client.mem0_client import Mem0Client

T = TypeVar("T")

MAX_WORKERS = 4
MAX_WAITING = 1_000


class MemoryProvider(Protocol):
    """Memory by user: no call reads, changes or deletes what belongs to another user.

    Write code against it, and test that code without Mem0; `AsyncMemoryProvider` says what the
    arguments mean.

    Examples
    --------
    >>> class Forgetful:
    ...     async def add(self, user_id, messages, metadata=None):
    ...         return "no id"
    ...     async def search(self, user_id, query, limit=10, filters=None):
    ...         return []
    ...     async def get_all(self, user_id, limit=None):
    ...         return []
    ...     async def delete(self, user_id, memory_id):
    ...         return False
    >>> async def advice(memory: MemoryProvider) -> str:
    ...     known = await memory.search("ann", "mistakes")
    ...     return known[0]["memory"] if known else "Nothing is known yet."
    >>> asyncio.run(advice(Forgetful()))
    'Nothing is known yet.'
    """

    async def add(
        self, user_id: str, messages: Messages, metadata: Mapping[str, Any] | None = None
    ) -> str:
        """Remember a conversation or a text; return its id."""

    async def search(
        self,
        user_id: str,
        query: str,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the memories most relevant to `query`, best first."""

    async def get_all(self, user_id: str, limit: int | None = None) -> list[dict[str, Any]]:
        """Return all memories, or the newest `limit`, newest first."""

    async def delete(self, user_id: str, memory_id: str) -> bool | None:
        """Delete one memory; return whether it was there and this user's, where that is known."""


class AsyncMemoryProvider:
    """`MemoryProvider` over a client in any mode; for one event loop.

    At most `max_workers` calls run at a time. Up to `max_waiting` more wait for a thread; further
    calls are refused. A call cancelled while it waits does nothing; a running one is finished by
    its thread, so a cancelled `add` is stored as a whole or not at all.

    `add` and `delete` return when the journal has the change, which then survives a kill. It is
    delivered to Mem0 at once, or later if Mem0 is away; meanwhile the journal answers reads.

    Parameters
    ----------
    client
        The opened memory; closed with the provider.
    max_workers
        Threads, >= 1.
    max_waiting
        Most calls that wait for a thread, >= 0.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from freqtrade_mem0 import get_mem0_client
    >>> async def main(folder: str) -> None:
    ...     async with AsyncMemoryProvider(get_mem0_client(user_data_dir=folder)) as memory:
    ...         _ = await memory.add("ann", [{"role": "user", "content": "News move prices"}])
    ...         for user_id in ("ann", "bob"):
    ...             found = await memory.search(user_id, "news")
    ...             print(user_id, [each["memory"] for each in found])
    >>> with TemporaryDirectory() as folder:
    ...     asyncio.run(main(folder))
    ann ['News move prices']
    bob []
    """

    def __init__(
        self,
        client: Mem0Client,
        *,
        max_workers: int = MAX_WORKERS,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        if max_waiting < 0:
            raise ValueError(f"max_waiting must be at least 0, it is {max_waiting}.")
        self._client = client
        self._threads = ThreadPoolExecutor(max_workers, "freqtrade-mem0-provider")
        self._most_calls = max_workers + max_waiting
        self._n_calls = 0
        self._is_closed = False

    async def add(
        self,
        *args: Any,
        user_id: str | None = None,
        messages: Messages | None = None,
        metadata: Mapping[str, Any] | None = None,
        text: str | None = None,
        category: str | None = None,
    ) -> str:
        """Remember a conversation or a text; return its id.

        `add(user_id, messages, metadata)`, by position or by name; with `user_id=` by name the
        first position is `messages`.

        Parameters
        ----------
        user_id
            Owner of the memory: a text without blanks, and not "*".
        messages
            A list of messages, each with `role` and `content`, one such message, or a text; it is
            remembered as one text. The same text of one user in one category is stored once.
        metadata
            Own values, see `Mem0Client.store`; `category` files the memory.
        text
            Another name of `messages`.
        category
            One of the six (see `Mem0Client.store`), or an alias; `learning_insights` by default.

        Raises
        ------
        RecordError
            An argument breaks its rule; nothing is stored.
        JournalError
            The journal can not be used; nothing is stored.
        BackendError
            Too many calls wait; nothing is stored.
        """
        said = messages if text is None else text
        given = {"user_id": user_id, "messages": said, "metadata": metadata}
        owner, told, own = call_arguments("add", args, given, needed=2)
        how = {"metadata": deepcopy(own), "category": category}
        told = deepcopy(told)
        return await self._run(owner, lambda client: client.add(told, **how))

    async def search(
        self,
        *args: Any,
        user_id: str | None = None,
        query: str | None = None,
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the memories of a user most relevant to a query, best first.

        `search(user_id, query, limit=10, filters=None)`, by position or by name; with `user_id=`
        by name the first position is `query`.

        Parameters
        ----------
        user_id
            Owner of the memories.
        query
            Free text with a word in it.
        limit
            Most memories returned, >= 1; 10 by default.
        filters
            Mem0's filter language over metadata. It may not name another user.

        Returns
        -------
        list of dict
            As from `Mem0Client.recall`.

        Raises
        ------
        RecordError
            An argument breaks its rule, or the filter names another user.
        BackendError
            The query or the filter can not be used, or too many calls wait.
        """
        given = {"user_id": user_id, "query": query, "limit": limit, "filters": filters}
        owner, asked, most, own = call_arguments("search", args, given, needed=2)
        how = {"query": asked, "limit": 10 if most is None else most, "filters": deepcopy(own)}
        return await self._run(owner, lambda client: client.recall(**how))

    async def recall(
        self,
        user_id: str,
        query: str | None = None,
        strategy: str | None = None,
        max_memories: int = 10,
        **how: Any,
    ) -> list[dict[str, Any]]:
        """Return the memories of a user that a strategy chooses; see `Mem0Client.recall`.

        `strategy` is `relevant` (with `query`, `min_relevance`), `recent` (`time_window_hours`) or
        `all`; `how` holds those and other arguments of `Mem0Client.recall` by name.
        """
        chosen = {"strategy": strategy, "limit": max_memories, **deepcopy(how)}
        return await self._run(user_id, lambda client: client.recall(query=query, **chosen))

    async def get_all(
        self,
        *args: Any,
        user_id: str | None = None,
        limit: int | None = None,
        filters: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return all memories of a user, or the newest `limit` (>= 1), newest first.

        `get_all(user_id, limit=None, filters=None)`; raises as `search` does.
        """
        given = {"user_id": user_id, "limit": limit, "filters": filters}
        owner, most, own = call_arguments("get_all", args, given, needed=1)
        own = deepcopy(own)
        return await self._run(owner, lambda client: client.recall(limit=most, filters=own))

    async def delete(
        self, *args: Any, user_id: str | None = None, memory_id: str | None = None
    ) -> bool:
        """Delete one memory; return whether it was there and this user's.

        `delete(user_id, memory_id)`, by position or by name; with `user_id=` by name the first
        position is `memory_id`.

        Raises
        ------
        RecordError
            `user_id` can be no owner.
        BackendError
            The journal does not know the memory and Mem0 is away, or too many calls wait.
        """
        given = {"user_id": user_id, "memory_id": memory_id}
        owner, named = call_arguments("delete", args, given, needed=2)
        return await self._run(owner, lambda client: client.delete(named))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._client!r})"

    async def aclose(self) -> None:
        """Finish running and waiting calls, then close the client. Closing twice is harmless."""
        if not self._is_closed:
            self._is_closed = True
            await asyncio.get_running_loop().run_in_executor(None, self._close)

    def _close(self) -> None:
        self._threads.shutdown(wait=True)
        self._client.close()

    async def _run(self, user_id: str, work: Callable[[Mem0Client], T]) -> T:
        client = self._client.for_user(user_id)
        if self._is_closed:
            raise Mem0Error("This memory provider is closed; make a new one.")
        if self._n_calls >= self._most_calls:
            raise BackendError(
                f"{self._n_calls} calls of this memory provider run or wait, and it accepts no "
                "more (max_workers + max_waiting). Try again later."
            )
        self._n_calls += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work, client)
        finally:
            self._n_calls -= 1

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()
