"""Mem0 inside this process: no key, no server, no download, and the file shared by all processes.

The user's own blocks of Mem0's configuration replace the defaults one by one, so that the same
class also drives Qdrant, pgvector or any other store and embedder that Mem0 knows.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade_mem0.backends import foreign_store, mem0_setup, payload
from freqtrade_mem0.backends.exact_store import ExactStore
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters, GroupKey
    from freqtrade_mem0.records.memory import Memory

T = TypeVar("T")

_MEMORIES_PER_READ = 1_000
_MEMORIES_PER_WRITE = 2_000


class EmbeddedBackend:
    """The real `mem0.Memory` in this process, built at first use; safe to share between threads.

    With the default store, any number of processes may use one folder at once. With another store
    the calls of one instance take turns (embedded Qdrant loses writes otherwise), and what several
    processes may do is up to that store.

    Parameters
    ----------
    folder
        Where the store, Mem0's history and Mem0's own files go; created with mode 0700.
    name
        For people: the mode it is used in.
    vector_store, embedder, llm, reranker
        Blocks of Mem0's configuration, `{"provider": ..., "config": {...}}`; None takes our SQLite
        store, our hashing embedder, an LLM that is never called, and no reranker.
    timeout_s
        Longest wait for one answer of a database server, in seconds, > 0 (PostgreSQL and Qdrant;
        other stores keep their own).

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
        self._left_to_the_parent: list[object] = []
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._memory: Any = None

    def _part_from_the_parent(self) -> None:
        """In a forked child, build anew: Mem0's connections must not be used or closed here."""
        if self._pid != os.getpid():
            self._left_to_the_parent += [self._memory, self._lock]
            self._start_afresh()

    @property
    def memory(self) -> Any:
        """The `mem0.Memory` itself, for what the port does not offer; do not close it."""
        self._part_from_the_parent()
        with self._lock:
            if self._is_closed:
                raise BackendError(f"The memories in {self._folder} are closed; open them anew.")
            if self._memory is None:
                self._memory = mem0_setup.build_memory(
                    self._folder, **self._blocks, timeout_s=self._timeout_s
                )
            return self._memory

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of `memories`, or raise; see `MemoryBackend.write`.

        They get no row in Mem0's history: where they come from stands in the journal.
        """
        with self._at_work("write") as memory:
            lemmatize = mem0_setup.lemmatizer()
            # Prepared as a whole first, so that a refused memory leaves nothing half-written.
            payloads = {each.id: payload.to_payload(each, lemmatize) for each in memories}
            for ids in _parts(list(payloads), _MEMORIES_PER_WRITE):
                part = {each: payloads[each] for each in ids}
                texts = [fields["data"] for fields in part.values()]
                vectors = memory.embedding_model.embed_batch(texts, "add")
                if isinstance(memory.vector_store, ExactStore):
                    memory.vector_store.insert(vectors, list(part.values()), list(part))
                else:
                    foreign_store.upsert(memory.vector_store, part, vectors)

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""
        with self._at_work("get") as memory:
            if isinstance(memory.vector_store, ExactStore):
                rows = memory.vector_store.get_many([memory_id])
                return payload.from_payload(rows[0].id, rows[0].payload) if rows else None
            item = memory.get(memory_id)
            return None if item is None else payload.from_item(item)

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by Mem0's hybrid relevance; see `MemoryBackend.search`.

        The score blends vector similarity and, where the store has it, keyword rank; it orders the
        answers to one query and does not compare between queries. With a reranker configured, the
        order is the reranker's.
        """
        payload.check_search(query, filters)
        if limit <= 0:
            return []
        rerank = self._blocks["reranker"] is not None
        with self._at_work("search") as memory:
            if not isinstance(memory.vector_store, ExactStore):
                return foreign_store.search(
                    memory, query, filters=filters, limit=limit, rerank=rerank
                )
            items = memory.search(
                query,
                filters=_shielded(filters),
                top_k=limit,
                threshold=0.0,
                rerank=rerank,
                show_expired=True,
            )
            return [payload.from_item(item) for item in items["results"]]

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes, by `(created_at, id)`; see `MemoryBackend.scan`.

        Which ones is settled by the call; each is then read as it stands when it is reached.
        """
        with self._at_work("scan") as memory:
            if isinstance(memory.vector_store, ExactStore):
                return self._read(memory.vector_store.list_ids(filters))
            return iter(foreign_store.scan(memory.vector_store, filters))

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Yield what was stored at `since` or later; see `MemoryBackend.changes`."""
        with self._at_work("read the changes") as memory:
            if not isinstance(memory.vector_store, ExactStore):
                return iter(foreign_store.scan(memory.vector_store, filters, since))
        return self.scan(filters=payload.stored_since(filters, since))

    def _read(self, ids: list[str]) -> Iterator[Memory]:
        for part in _parts(ids, _MEMORIES_PER_READ):
            with self._at_work("scan") as memory:
                rows = memory.vector_store.get_many(part)
            yield from (payload.from_payload(row.id, row.payload) for row in rows)

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these memories; return how many were there."""
        with self._at_work("delete") as memory:
            if isinstance(memory.vector_store, ExactStore):
                return memory.vector_store.delete_many(memory_ids)
            return foreign_store.delete(memory, memory_ids)

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count memories that pass, in groups by `by`; see `MemoryBackend.count`."""
        with self._at_work("count") as memory:
            if isinstance(memory.vector_store, ExactStore):
                return memory.vector_store.count(filters, by)
            return payload.count_groups(foreign_store.scan(memory.vector_store, filters), by)

    def close(self) -> None:
        """Close the store and Mem0's history; closing twice is harmless."""
        self._part_from_the_parent()
        with self._lock:
            self._is_closed = True
            memory, self._memory = self._memory, None
            if memory is None:
                return
            # Mem0 opens its second store when it is first asked for; `_entity_store` does not ask.
            for store in (memory.vector_store, memory._entity_store):  # noqa: SLF001
                foreign_store.close(store)
            memory.close()

    @contextmanager
    def _at_work(self, what: str) -> Iterator[Any]:
        """Give `mem0.Memory`, in turn where the store needs it; name errors that come out."""
        memory = self.memory
        is_ours = isinstance(memory.vector_store, ExactStore)
        with nullcontext() if is_ours else self._lock:
            try:
                yield memory
            except BackendError:
                raise
            except Exception as error:  # every provider raises exceptions of its own
                provider = memory.config.vector_store.provider
                raise BackendError(
                    f"Mem0 with the vector store {provider!r} failed to {what}: "
                    f"{type(error).__name__}: {error}."
                ) from error


def _shielded(filters: Filters) -> Filters:
    """Put a filter into the one form that `Memory.search` hands to the store unharmed.

    Mem0 flattens AND and lets conditions on the same key overwrite each other, and wants scopes as
    plain texts; what stands in a list inside an OR it does not touch.
    """
    sent: Filters = {}
    rest: Filters = {}
    for key, value in filters.items():
        is_plain = key in SCOPE_KEYS and payload.is_scope(value)
        if key in SCOPE_KEYS:
            sent[key] = value if is_plain else "*"  # any other condition implies it
        if not is_plain:
            rest[key] = value
    return {**sent, "OR": [{"AND": [rest]}]} if rest else sent


def _parts(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
