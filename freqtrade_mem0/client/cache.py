"""Repeats recent answers of Mem0 to scripts and services that ask a lot.

`cachetools` bounds and expires the answers. What this adds is for a store that is slow and shared:
threads that ask the same question wait for one answer, and no answer outlives a write. Stakes never
come from here: recall is in the bot's own process.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, TypeAlias

from cachetools import TLRUCache

from freqtrade_mem0.backends.filters import parse_filters
from freqtrade_mem0.backends.payload import check_search
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from freqtrade_mem0.backends.port import Filters, MemoryBackend
    from freqtrade_mem0.records.memory import Memory

MAX_MEMORIES = 10_000
PARALLEL_SEARCHES = 4
"""Most searches of one `search_many` that run at the same time."""

_Key: TypeAlias = tuple[str | int, ...]
_Answer: TypeAlias = "tuple[Memory, ...]"


@dataclass(frozen=True, slots=True)
class CacheStats:
    """What a cache did since it was made.

    Parameters
    ----------
    hits
        Questions answered from the cache.
    joined
        Questions that waited for another thread's answer to the same question.
    misses
        Questions that Mem0 was asked.
    evictions
        Answers dropped to make room for newer ones.
    memories
        Memories held now; one that stands in two answers counts twice.
    """

    hits: int = 0
    joined: int = 0
    misses: int = 0
    evictions: int = 0
    memories: int = 0


class _Answers(TLRUCache[_Key, tuple[float, _Answer]]):
    """Answers, each with the time it expires at; it weighs as many memories as it has, or one."""

    def __init__(self, max_memories: int, clock: Callable[[], float]) -> None:
        super().__init__(
            max_memories,
            ttu=lambda _key, held, _now_s: held[0],
            timer=clock,
            getsizeof=lambda held: max(1, len(held[1])),
        )
        self.evictions = 0

    def popitem(self) -> tuple[_Key, tuple[float, _Answer]]:
        self.evictions += 1
        return super().popitem()


class CachedReads:
    """Searches and scans of one backend; safe to share between threads, empty in a forked child.

    Whoever writes to the backend calls `forget` afterwards. What other processes write is seen at
    most `ttl_s` later (`hold_s` for what was preloaded), counted from when the answer was asked
    for. Answers are shared: do not change the metadata of a memory.

    Parameters
    ----------
    backend
        Is asked what is not held.
    max_memories
        Most memories held in answers, >= 1. The least recently used answers go first.
    ttl_s
        How long an answer is repeated, in seconds, >= 0; with 0 each question is asked.
    clock
        Monotonic seconds.

    Examples
    --------
    >>> from freqtrade_mem0.backends.local import LocalBackend
    >>> reads = CachedReads(LocalBackend(tuple), ttl_s=5)
    >>> for _ in range(3):
    ...     _ = reads.search("long ETH", filters={"user_id": "me"}, limit=5)
    >>> reads.stats().misses, reads.stats().hits
    (1, 2)
    """

    def __init__(
        self,
        backend: MemoryBackend,
        *,
        max_memories: int = MAX_MEMORIES,
        ttl_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_memories < 1:
            raise ValueError(f"max_memories must be at least 1, it is {max_memories}.")
        if not ttl_s >= 0:
            raise ValueError(f"ttl_s must be 0 or more seconds, it is {ttl_s}.")
        self._backend = backend
        self._max_memories = max_memories
        self._ttl_s = ttl_s
        self._clock = clock
        self._start_empty()

    def _start_empty(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.Lock()
        self._held = _Answers(self._max_memories, self._clock)
        self._under_way: dict[_Key, Future[_Answer]] = {}
        self._counts: Counter[str] = Counter()

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by relevance; see `MemoryBackend.search`."""
        check_search(query, filters)
        key = ("search", query, _as_text(filters), limit)
        with self._guard():
            held, under_way, asked_s = self._get(key), self._under_way, self._clock()
            if held is not None:
                return list(held)
            joined, ours = under_way.get(key), Future[_Answer]()
            self._counts["misses" if joined is None else "joined"] += 1
            if joined is None and self._ttl_s > 0:
                under_way[key] = ours
        if joined is not None:
            return list(joined.result())
        try:
            answer = tuple(self._backend.search(query, filters=filters, limit=limit))
            self._hold(key, answer, under_way, asked_s + self._ttl_s)
        except BaseException as error:
            interrupted = BackendError("The search was interrupted; ask again.")
            ours.set_exception(error if isinstance(error, Exception) else interrupted)
            raise
        finally:
            under_way.pop(key, None)
        ours.set_result(answer)
        return list(answer)

    def search_many(
        self, queries: Sequence[str], *, filters: Filters, limit: int
    ) -> list[list[Memory]]:
        """Return what `search` returns for each of the queries, in their order.

        A query given twice is asked once; up to `PARALLEL_SEARCHES` run at the same time.
        """
        different = list(dict.fromkeys(queries))
        with ThreadPoolExecutor(PARALLEL_SEARCHES, "freqtrade-mem0-search") as threads:
            found = threads.map(
                lambda query: self.search(query, filters=filters, limit=limit), different
            )
            by_query = dict(zip(different, found, strict=True))
        return [list(by_query[query]) for query in queries]

    def preload(self, filters: Filters, *, hold_s: float) -> int:
        """Read all memories that pass, so that a `scan` with the same filter need not ask Mem0.

        Returns the number of memories held, for `hold_s` seconds. It is 0 where they are more than
        `max_memories`, or where something was written meanwhile.
        """
        key = ("scan", _as_text(filters))
        with self._guard():
            under_way, asked_s = self._under_way, self._clock()
            self._counts["misses"] += 1
        found = tuple(islice(self._backend.scan(filters=filters), self._max_memories + 1))
        return len(found) if self._hold(key, found, under_way, asked_s + hold_s) else 0

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes, by `(created_at, id)`; repeats what was preloaded."""
        with self._guard():
            held = self._get(("scan", _as_text(filters)))
            self._counts["misses"] += held is None
        return self._backend.scan(filters=filters) if held is None else iter(held)

    def forget(self) -> None:
        """Drop all answers. Those under way reach the threads that wait, and are not held."""
        with self._guard():
            self._held.clear()
            self._under_way = {}

    def stats(self) -> CacheStats:
        """Return what was counted so far."""
        with self._guard():
            memories = int(self._held.currsize)
            return CacheStats(**self._counts, evictions=self._held.evictions, memories=memories)

    def _guard(self) -> threading.Lock:
        """Return the lock. In a forked child start empty: a parent's thread may hold its lock."""
        if self._pid != os.getpid():
            self._start_empty()
        return self._lock

    def _get(self, key: _Key) -> _Answer | None:
        try:
            _, answer = self._held[key]
        except KeyError:
            return None
        self._counts["hits"] += 1
        return answer

    def _hold(
        self, key: _Key, answer: _Answer, under_way: dict[_Key, Future[_Answer]], expires_s: float
    ) -> bool:
        """Hold an answer unless it is too long, or `forget` was called since it was asked for."""
        with self._guard():
            if under_way is not self._under_way or len(answer) > self._max_memories:
                return False
            self._held[key] = (expires_s, answer)
            return key in self._held


def _as_text(filters: Filters) -> str:
    """Return a text that differs between filters that mean different things."""
    parse_filters(filters)  # refuses what is no filter, or nested too deep
    return json.dumps(filters, sort_keys=True, default=_as_plain)


def _as_plain(value: Iterable[object]) -> object:
    return dict(value) if isinstance(value, Mapping) else list(value)
