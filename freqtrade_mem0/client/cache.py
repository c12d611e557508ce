"""A backend that repeats recent answers, for services, dashboards and scripts that ask a lot.

Stakes are not sized from it: recall is in the bot's own process, and never waits.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import parse_filters
from freqtrade_mem0.client.answer_cache import AnswerCache

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable, Iterator
    from datetime import datetime

    from freqtrade_mem0.backends.port import Filters, GroupKey, MemoryBackend
    from freqtrade_mem0.client.answer_cache import Answer, CacheStats, Claim, Key
    from freqtrade_mem0.records.memory import Memory

MAX_MEMORIES = 10_000
PARALLEL_SEARCHES = 4


@runtime_checkable
class BatchSearch(Protocol):
    """What a backend may offer beyond `MemoryBackend`: many searches for the price of one."""

    def search_many(
        self, queries: Sequence[str], *, filters: Filters, limit: int
    ) -> list[list[Memory]]:
        """Return what `search` returns for each of the queries, embedding them all at once."""


class CachingBackend:
    """`MemoryBackend` over another one; repeats its answers to `get`, `search` and `preload`.

    What is written or deleted through it is seen by whoever asks after that. What other processes
    write is seen at most `ttl_s` later (for what was preloaded: the time it is held), plus the time
    the answer took. `scan` is repeated only where it was preloaded, `count` and `changes` never.

    Answers are shared: the metadata of a memory must not be changed by whoever gets it.

    Parameters
    ----------
    backend
        Who is asked; closed with this one.
    max_memories
        Most memories held in answers, >= 1. The least recently used answers go first.
    ttl_s
        How long an answer is repeated, in seconds, >= 0; with 0 each question is asked.
    parallel_searches
        Searches of one batch that are asked at the same time, >= 1, where the backend can not take
        the batch as a whole.
    clock
        Monotonic seconds.

    Examples
    --------
    >>> from freqtrade_mem0.backends.local import LocalBackend
    >>> backend = CachingBackend(LocalBackend(tuple), ttl_s=5)
    >>> for _ in range(3):
    ...     _ = backend.search("long ETH", filters={"user_id": "me"}, limit=5)
    >>> backend.stats().misses, backend.stats().hits
    (1, 2)
    """

    def __init__(
        self,
        backend: MemoryBackend,
        *,
        max_memories: int = MAX_MEMORIES,
        ttl_s: float = 0.0,
        parallel_searches: int = PARALLEL_SEARCHES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._parallel_searches = parallel_searches
        self._cache = AnswerCache(max_memories=max_memories, ttl_s=ttl_s, clock=clock)

    @property
    def name(self) -> str:
        """The name of the backend that is asked."""
        return self._backend.name

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of `memories`, or raise; see `MemoryBackend.write`."""
        try:
            self._backend.write(memories)
        finally:  # a write that failed may have stored a part
            self.forget({each.id for each in memories})

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""

        def ask() -> Answer:
            memory = self._backend.get(memory_id)
            return () if memory is None else (memory,)

        found = self._answer(("get", memory_id), ask)
        return found[0] if found else None

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by relevance; see `MemoryBackend.search`."""
        payload.check_search(query, filters)
        return list(
            self._answer(
                ("search", query, _frozen(filters), limit),
                lambda: tuple(self._backend.search(query, filters=filters, limit=limit)),
            )
        )

    def search_many(
        self, queries: Sequence[str], *, filters: Filters, limit: int
    ) -> list[list[Memory]]:
        """Return what `search` returns for each of the queries, in their order.

        A query given twice is asked once. Where the backend has `BatchSearch`, it gets all that are
        not held in one call; otherwise a bounded number of searches runs at the same time.

        Raises
        ------
        BackendError
            As `search`, for the first query that fails.
        """
        different = list(dict.fromkeys(queries))
        for query in different:
            payload.check_search(query, filters)
        if isinstance(self._backend, BatchSearch):
            found = self._batch(self._backend, different, filters, limit)
        elif len(different) < 2 or self._parallel_searches == 1:  # noqa: PLR2004 - none, or one
            found = [self.search(each, filters=filters, limit=limit) for each in different]
        else:
            n_threads = min(len(different), self._parallel_searches)
            with ThreadPoolExecutor(n_threads, "freqtrade-mem0-search") as threads:
                found = list(
                    threads.map(
                        lambda each: self.search(each, filters=filters, limit=limit), different
                    )
                )
        by_query = dict(zip(different, found, strict=True))
        return [list(by_query[query]) for query in queries]

    def preload(self, filters: Filters, *, hold_s: float) -> int:
        """Read all memories that pass, so that `get` of each and `scan` of all need not ask Mem0.

        Parameters
        ----------
        filters
            As the later `scan` will have them.
        hold_s
            How long they are held where nothing is written through here, in seconds, > 0: what
            others write is not seen before.

        Returns
        -------
        int
            Memories that are held; 0 where they are more than half of `max_memories` (each stands
            in the scan's answer and by its id). Then nothing is held and reads ask Mem0 as ever.
        """
        most = self._cache.max_memories // 2
        key = ("scan", _frozen(filters))
        claim, _ = self._cache.claim(key, hold_s=hold_s)
        try:
            found = tuple(islice(self._backend.scan(filters=filters), most + 1))
        except BaseException as error:
            self._cache.fail(key, claim, error)
            raise
        if len(found) > most:
            self._cache.drop(lambda each: each == key)
            return 0
        each_alone = ((("get", memory.id), (memory,)) for memory in found)
        return len(found) if self._cache.settle(key, claim, found, each_alone) else 0

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes, by `(created_at, id)`; see `MemoryBackend.scan`."""
        held = self._cache.held(("scan", _frozen(filters)))
        return self._backend.scan(filters=filters) if held is None else iter(held)

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Yield what was stored at `since` or later; see `MemoryBackend.changes`."""
        return self._backend.changes(filters=filters, since=since)

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these memories; return how many were there."""
        try:
            return self._backend.delete(memory_ids)
        finally:
            self.forget(memory_ids)

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count memories that pass, in groups by `by`; see `MemoryBackend.count`."""
        return self._backend.count(filters=filters, by=by)

    def forget(self, memory_ids: Collection[str] | None = None) -> None:
        """Repeat no answer that these memories may be part of; None: no answer at all.

        For who knows of writes that did not go through here.
        """
        if memory_ids is None:
            self._cache.drop()
            return
        # A memory that changes may belong into any search now, and leave any.
        gone = {("get", memory_id) for memory_id in memory_ids}
        self._cache.drop(lambda key: key[0] != "get" or key in gone)

    def stats(self) -> CacheStats:
        """Return how often was answered from where."""
        return self._cache.stats()

    def close(self) -> None:
        """Forget all answers and close the backend. Closing twice is harmless."""
        self.forget()
        self._backend.close()

    def _answer(self, key: Key, ask: Callable[[], Answer]) -> Answer:
        claim, is_ours = self._cache.claim(key)
        if not is_ours:
            return claim.future.result()
        try:
            answer = ask()
        except BaseException as error:
            self._cache.fail(key, claim, error)
            raise
        self._cache.settle(key, claim, answer)
        return answer

    def _batch(
        self, backend: BatchSearch, queries: Sequence[str], filters: Filters, limit: int
    ) -> list[list[Memory]]:
        frozen = _frozen(filters)
        keys: list[Key] = [("search", query, frozen, limit) for query in queries]
        claimed = [self._cache.claim(key) for key in keys]
        ours: list[tuple[str, Key, Claim]] = [
            (query, key, claim)
            for query, key, (claim, is_ours) in zip(queries, keys, claimed, strict=True)
            if is_ours
        ]
        if ours:
            try:
                found = backend.search_many(
                    [query for query, _, _ in ours], filters=filters, limit=limit
                )
                answers = [
                    (key, claim, tuple(answer))
                    for (_, key, claim), answer in zip(ours, found, strict=True)
                ]
            except BaseException as error:
                for _, key, claim in ours:
                    self._cache.fail(key, claim, error)
                raise
            for key, claim, answer in answers:
                self._cache.settle(key, claim, answer)
        # Only now wait for others, who may in turn wait for ours.
        return [list(claim.future.result()) for claim, _ in claimed]


def _frozen(filters: Filters) -> Hashable:
    """Return what tells a filter from every other; equal filters may differ in it."""
    parse_filters(filters)  # refuses what is no filter, or endless
    return _hashable(filters)


def _hashable(value: object) -> Hashable:
    if isinstance(value, Mapping):
        return ("mapping", frozenset((key, _hashable(each)) for key, each in value.items()))
    if isinstance(value, AbstractSet):
        return ("set", frozenset(map(_hashable, value)))
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ("sequence", tuple(map(_hashable, value)))
    # 1, 1.0 and True are equal to Python, and not the same to a filter.
    return (type(value).__name__, repr(value))
