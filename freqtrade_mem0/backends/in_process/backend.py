"""Mem0 inside this process: no key, no server, no download, and one file for all processes.

Each block of Mem0's configuration that the user gives replaces our default, so the same class also
serves Qdrant, PostgreSQL and any other store or embedder that Mem0 knows.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.exact_store import ExactStore
from freqtrade_mem0.backends.in_process import foreign_store, mem0_setup, searching
from freqtrade_mem0.backends.in_process.mem0_setup import Parts
from freqtrade_mem0.backends.in_process.own_parts import OWN_STORE
from freqtrade_mem0.backends.sqlite.store import SqliteStore
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters, GroupKey
    from freqtrade_mem0.backends.sqlite.rows import Key
    from freqtrade_mem0.backends.vector_rows import Row
    from freqtrade_mem0.records.memory import Memory

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MEMORIES_PER_READ = 1_000
_MEMORIES_PER_WRITE = 2_000
_RENEWED_PER_WRITE = 200  # about 15 ms beside a bot's callbacks
_RENEWED_AT_ONCE = 1_000
_RENEWING_S = 1.0
"""Longest time for which the first search of a process embeds old memories anew."""


class EmbeddedBackend:
    """The real `mem0.Memory` in this process, built at first use; safe to share between threads.

    With the default store, any number of processes may use one folder at once. With a store of
    Mem0's, calls run one after the other (embedded Qdrant would lose writes), and whether several
    processes may use it depends on that store.

    Parameters
    ----------
    folder
        For the store, Mem0's history and Mem0's own files; created with mode 0700.
    name
        The mode it is used in, shown to people.
    vector_store, embedder, llm, reranker
        Blocks of Mem0's configuration, `{"provider": ..., "config": {...}}`; None takes our SQLite
        store, our own embedder (`mem0_setup.chosen_embedder`), an LLM that is never called, and no
        reranker.
    timeout_s
        Longest wait for one answer of PostgreSQL or Qdrant, in seconds, > 0. Other stores keep
        their own timeouts.

    Examples
    --------
    >>> from pathlib import Path
    >>> backend = EmbeddedBackend(Path("user_data/mem0"))  # opens nothing yet
    >>> backend.name
    'embedded'
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "embedded",
        vector_store: Mapping[str, Any] | None = None,
        embedder: Mapping[str, Any] | None = None,
        llm: Mapping[str, Any] | None = None,
        reranker: Mapping[str, Any] | None = None,
        timeout_s: float = 10.0,
    ) -> None:
        self.name = name
        self._folder = folder
        self._blocks = {
            "vector_store": vector_store,
            "embedder": embedder,
            "llm": llm,
            "reranker": reranker,
        }
        self._timeout_s = timeout_s
        self._is_closed = False
        self._of_the_parent: list[object] = []
        self._start_unopened()

    def _start_unopened(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._memory: Any = None
        self._parts: Parts | None = None
        self._has_renewed = False

    def _reopen_in_a_fork(self) -> None:
        """In a forked child, neither use nor close the parent's connections and locks."""
        if self._pid != os.getpid():
            self._of_the_parent += [self._memory, self._parts, self._lock]
            self._start_unopened()

    @property
    def memory(self) -> Any:
        """The `mem0.Memory` itself, for what the port does not offer; do not close it."""
        self._reopen_in_a_fork()
        with self._lock:
            self._refuse_if_closed()
            if self._memory is None:
                memory = mem0_setup.build_memory(
                    self._folder, **self._blocks, timeout_s=self._timeout_s
                )
                if self._parts is not None:  # use the open store: one cache, not two
                    foreign_store.close(memory.vector_store)
                    memory.vector_store = self._parts.store
                    memory.embedding_model = self._parts.embedder
                else:
                    foreign_store.prepare(memory.vector_store)
                self._memory = memory
            return self._memory

    def _opened(self) -> Parts:
        """Return store and embedder, without importing Mem0 where both are ours.

        The import takes longer than most work; a process that only delivers or reads never does it.
        """
        self._reopen_in_a_fork()
        with self._lock:
            self._refuse_if_closed()
            if self._parts is None and self._memory is None:
                self._parts = mem0_setup.own_parts(self._folder, **self._blocks)
            if self._parts is None:
                self._parts = Parts(self.memory.vector_store, self.memory.embedding_model)
            return self._parts

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise BackendError(f"The memories in {self._folder} are closed; open them again.")

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of `memories`, or raise; see `MemoryBackend.write`.

        Mem0's history gets no row for them: the journal says where they come from.
        """
        with self._at_work("write") as parts:
            lemmatize = mem0_setup.lemmatizer(self._folder)
            # All are prepared first, so that a refused memory leaves nothing half-written.
            payloads = {each.id: payload.to_payload(each, lemmatize) for each in memories}
            for ids in _parts(list(payloads), _MEMORIES_PER_WRITE):
                part = {each: payloads[each] for each in ids}
                texts = [fields["data"] for fields in part.values()]
                if isinstance(parts.store, ExactStore):
                    vectors = searching.vectors_of(parts.embedder, texts)
                    parts.store.insert(vectors, list(part.values()), list(part))
                else:
                    vectors = parts.embedder.embed_batch(texts, "add")
                    foreign_store.upsert(parts.store, part, vectors)
            if searching.renews_by_itself(parts):
                searching.renew(parts, _RENEWED_PER_WRITE)

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""
        with self._at_work("get") as parts:
            if isinstance(parts.store, ExactStore):
                rows = parts.store.get_many([memory_id])
                return payload.from_payload(rows[0].id, rows[0].payload) if rows else None
            item = self.memory.get(memory_id)
            return None if item is None else payload.from_item(item)

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by meaning and words; see `MemoryBackend.search`.

        Our SQLite store is asked itself, see `SqliteStore.find`. Over other stores Mem0 blends
        vector similarity and, where the store has it, keyword rank. The score orders the answers to
        one query; scores of different queries can not be compared. A configured reranker decides
        the order.
        """
        payload.check_search(query, filters)
        if limit <= 0:
            return []
        rerank = self._blocks["reranker"] is not None
        with self._at_work("search") as parts:
            if isinstance(parts.store, SqliteStore) and not rerank:
                self._renew_at_first(parts)
                words = mem0_setup.lemmatizer(self._folder)(query)
                return searching.find(parts, query, words, filters=filters, limit=limit)
            memory = self.memory
            if not isinstance(memory.vector_store, ExactStore):
                return foreign_store.search(
                    memory, query, filters=filters, limit=limit, rerank=rerank
                )
            return searching.through_mem0(
                memory, query, filters=filters, limit=limit, rerank=rerank
            )

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes, by `(created_at, id)`; see `MemoryBackend.scan`.

        The call decides which ones; each is read when the iterator reaches it.
        """
        with self._at_work("scan") as parts:
            if isinstance(parts.store, ExactStore):
                return self._read(parts.store.list_ids(filters))
            return iter(foreign_store.scan(parts.store, filters))

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Yield what was stored at `since` or later; see `MemoryBackend.changes`."""
        with self._at_work("read the changes") as parts:
            if not isinstance(parts.store, ExactStore):
                return iter(foreign_store.scan(parts.store, filters, since))
            if isinstance(parts.store, SqliteStore):
                return self._of_pages(parts.store.pages(filters, _MEMORIES_PER_READ, since))
            if since is not None:
                return self._read(parts.store.list_ids_since(since, filters))
        return self.scan(filters=filters)

    def _of_pages(self, pages: Iterator[list[Row]]) -> Iterator[Memory]:
        while True:
            with self._at_work("read the changes"):
                page = next(pages, None)
            if page is None:
                return
            yield from (payload.from_payload(row.id, row.payload) for row in page)

    def _read(self, ids: list[str]) -> Iterator[Memory]:
        for part in _parts(ids, _MEMORIES_PER_READ):
            with self._at_work("scan") as parts:
                rows = parts.store.get_many(part)
            yield from (payload.from_payload(row.id, row.payload) for row in rows)

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these memories; return how many were there."""
        with self._at_work("delete") as parts:
            if isinstance(parts.store, ExactStore):
                return parts.store.delete_many(memory_ids)
            return foreign_store.delete(self.memory, memory_ids)

    @property
    def upkeep_limits(self) -> Sequence[str]:
        """What the store can not do when memories age."""
        store = self._opened().store
        if isinstance(store, ExactStore):
            return store.upkeep_limits
        limit = (
            "This vector store keeps its vectors as they are, and frees the space of deleted "
            "memories when it chooses to."
        )
        return [limit]

    def compress(self, memory_ids: Sequence[str]) -> int:
        """Store vectors in fewer bytes where the store can; see `MemoryBackend.compress`."""
        with self._at_work("compress") as parts:
            return parts.store.compress(memory_ids) if isinstance(parts.store, ExactStore) else 0

    def renew(self, limit: int) -> int:
        """Embed memories of another embedder anew; see `MemoryBackend.renew`."""
        with self._at_work("embed memories anew") as parts:
            # Where the semantic embedder is not installed, the other one only stands in for it.
            is_chosen = self._blocks["embedder"] is not None or searching.renews_by_itself(parts)
            return searching.renew(parts, limit) if is_chosen else 0

    def _renew_at_first(self, parts: Parts) -> None:
        """Spend a moment on memories of earlier versions, so that the answer is better."""
        if self._has_renewed or not searching.renews_by_itself(parts):
            return
        self._has_renewed = True
        until_s = time.monotonic() + _RENEWING_S
        try:
            while self.renew(_RENEWED_AT_ONCE) > 0 and time.monotonic() < until_s:
                pass
        except BackendError as error:  # a read-only folder, say
            logger.info("Old memories are found by their words alone: %s", error)

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of each memory where the store tells; see `MemoryBackend.sizes`."""
        with self._at_work("measure") as parts:
            return parts.store.sizes() if isinstance(parts.store, ExactStore) else {}

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:
        """Give space back to the disk where the store can; see `MemoryBackend.shrink`."""
        with self._at_work("shrink") as parts:
            return (
                parts.store.shrink(pause, alone=alone) if isinstance(parts.store, ExactStore) else 0
            )

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count memories that pass, in groups by `by`; see `MemoryBackend.count`."""
        with self._at_work("count") as parts:
            if isinstance(parts.store, ExactStore):
                return parts.store.count(filters, by)
            return payload.count_groups(foreign_store.scan(parts.store, filters), by)

    def pages_for_children(
        self, filters: Filters, size: int
    ) -> Sequence[Callable[[], list[Memory]]]:
        """Return pages of our own SQLite store; see `MemoryBackend.pages_for_children`."""
        with self._at_work("find the memories") as parts:
            if not isinstance(parts.store, SqliteStore) or self._memory is not None:
                return []
            pages = _parts(parts.store.keys_by_time(filters), size)
            parts.store.rest()
        return [partial(self._page, keys, filters) for keys in pages]

    def _page(self, keys: Sequence[Key], filters: Filters) -> list[Memory]:
        with self._at_work("read the changes") as parts:
            return [
                payload.from_payload(each.id, each.payload)
                for each in parts.store.page(keys, filters)
            ]

    def close(self) -> None:
        """Close the store and Mem0's history; closing twice is harmless."""
        self._reopen_in_a_fork()
        with self._lock:
            self._is_closed = True
            parts, self._parts = self._parts, None
            memory, self._memory = self._memory, None
            if parts is not None:
                foreign_store.close(parts.store)
            if memory is None:
                return
            # Unlike `entity_store`, `_entity_store` does not open Mem0's second store to close it.
            stores = (memory.vector_store, memory._entity_store)  # noqa: SLF001
            for store in stores:
                if parts is None or store is not parts.store:
                    foreign_store.close(store)
            memory.close()

    @contextmanager
    def _at_work(self, what: str) -> Iterator[Parts]:
        """Give store and embedder, one call at a time for Mem0's stores; turn errors into ours."""
        parts = self._opened()
        is_ours = isinstance(parts.store, ExactStore)
        with nullcontext() if is_ours else self._lock:
            try:
                yield parts
            except BackendError:
                raise
            except Exception as error:  # every provider raises exceptions of its own
                block = self._blocks["vector_store"]
                provider = OWN_STORE if block is None else block.get("provider")
                raise BackendError(
                    f"Mem0 with the vector store {provider!r} failed to {what}: "
                    f"{type(error).__name__}: {error}."
                ) from error


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
