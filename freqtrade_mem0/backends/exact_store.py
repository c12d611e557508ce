"""Mem0's interface for vector stores, as our own two stores offer it (SQLite and PostgreSQL).

They hold what Mem0's own stores do not: an id that is written again is replaced, filters mean what
`filters` says, and nothing is cut off or approximated. `EmbeddedBackend` uses such a store directly
for everything but a search; all other stores are reached through `foreign_store`.
"""

from __future__ import annotations

import uuid
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

from freqtrade_mem0.backends.payload import stored_since
from freqtrade_mem0.backends.vector_rows import Row
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.port import GroupKey

# The method `list` hides the type of the same name inside the classes.
Rows: TypeAlias = list[Row]
Pages: TypeAlias = list[list[Row]]
Names: TypeAlias = list[str]


class ExactStore(ABC):
    """One collection of memories; safe to share between threads.

    It has the methods of Mem0's `VectorStoreBase` but does not derive from it, so that importing
    it does not import Mem0. Every method raises `BackendError`: the store can not be used, or,
    `permanent`, a memory or a filter is refused.
    """

    def create_col(self, name: str, vector_size: int | None, distance: str = "cosine") -> None:
        """Make a collection, if there is none with this name; `distance` can be cosine only."""
        if distance != "cosine":
            raise BackendError(f"This store compares by cosine only, not by {distance!r}.")
        self._create(name, vector_size)

    def insert(
        self,
        vectors: Sequence[Sequence[float]],
        payloads: Sequence[Mapping[str, Any]] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        """Store memories in one transaction; an id that is there is replaced if it changed."""
        if ids is None:
            ids = [str(uuid.uuid4()) for _ in vectors]
        if payloads is None:
            payloads = [{} for _ in vectors]
        if not len(vectors) == len(payloads) == len(ids):
            raise BackendError(
                f"insert needs as many payloads ({len(payloads)}) and ids ({len(ids)}) as vectors "
                f"({len(vectors)}).",
                permanent=True,
            )
        if len(vectors) > 0:
            self._replace(vectors, payloads, ids)

    def delete(self, vector_id: str) -> None:
        """Delete one memory; nothing happens where there is none."""
        self.delete_many([vector_id])

    def get(self, vector_id: str) -> Row | None:
        """Return one memory, or None."""
        found = self.get_many([vector_id])
        return found[0] if found else None

    upkeep_limits: Sequence[str] = ()
    """See `MemoryBackend.upkeep_limits`."""

    def compress(self, ids: Sequence[str]) -> int:  # noqa: ARG002 - for stores that can
        """Store vectors in fewer bytes; return how many it did."""
        return 0

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes that each memory takes, by id."""
        return {}

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:  # noqa: ARG002 - for stores that can
        """Give the space of deleted memories back to the disk; return how many bytes."""
        return 0

    def search_batch(
        self,
        queries: Sequence[str],
        vectors_list: Sequence[Sequence[float]],
        top_k: int | None = 1,
        filters: Mapping[str, Any] | None = None,
    ) -> Pages:
        """Search several times."""
        pairs = zip(queries, vectors_list, strict=True)
        return [self.search(query, vector, top_k, filters) for query, vector in pairs]

    def list(self, filters: Mapping[str, Any] | None = None, top_k: int | None = None) -> Pages:
        """Return the first `top_k` memories (None: all) by `(created_at, id)`.

        The list of rows is the only element of a list, as `Memory.get_all` expects.
        """
        return [self.get_many(self.list_ids(filters)[:top_k])]

    @abstractmethod
    def search(
        self,
        query: str,
        vectors: Sequence[float],
        top_k: int | None = 5,
        filters: Mapping[str, Any] | None = None,
    ) -> Rows:
        """Return the `top_k` memories (None: all) most similar to the vector `vectors`.

        Mem0 hands the text to every store, with its vector.
        """

    @abstractmethod
    def get_many(self, ids: Sequence[str]) -> Rows:
        """Return those of the memories that are there, in the order of `ids`."""

    @abstractmethod
    def list_ids(self, filters: Mapping[str, Any] | None = None) -> Names:
        """Return the ids of all memories that pass, by `(created_at, id)`."""

    def list_ids_since(self, since: datetime, filters: Mapping[str, Any] | None = None) -> Names:
        """Return the ids of all memories that pass and were stored then or later, in that order."""
        return self.list_ids(stored_since(dict(filters or {}), since))

    @abstractmethod
    def delete_many(self, ids: Sequence[str]) -> int:
        """Delete memories in one transaction; return how many were there."""

    @abstractmethod
    def count(
        self, filters: Mapping[str, Any] | None = None, by: Sequence[str] = ()
    ) -> dict[GroupKey, int]:
        """Count memories that pass, in groups by the keys `by`; see `MemoryBackend.count`."""

    @abstractmethod
    def _create(self, name: str, vector_size: int | None) -> None: ...

    @abstractmethod
    def _replace(
        self,
        vectors: Sequence[Sequence[float]],
        payloads: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
    ) -> None: ...
