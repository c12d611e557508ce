"""What a vector store offers beyond Mem0's own interface, so that nothing need be made good.

`EmbeddedBackend` uses such a store directly for everything but a search. Of Mem0's own stores none
has these methods; they are reached through `foreign_store`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.backends.port import GroupKey


class StoredRow(Protocol):
    """A memory as a store gives it."""

    id: str
    payload: dict[str, Any]


@runtime_checkable
class ExactStore(Protocol):
    """A store whose filters mean what `filters` says, safe to share between threads."""

    def insert(
        self,
        vectors: Sequence[Sequence[float]],
        payloads: Sequence[Mapping[str, Any]] | None = None,
        ids: Sequence[str] | None = None,
    ) -> None:
        """Store memories in one transaction; of a known id what changed is replaced."""

    def get_many(self, ids: Sequence[str]) -> Sequence[StoredRow]:
        """Return those of the memories that are there, in the order of `ids`."""

    def list_ids(self, filters: Mapping[str, Any] | None = None) -> list[str]:
        """Return the ids of all memories that pass, by `(created_at, id)`."""

    def delete_many(self, ids: Sequence[str]) -> int:
        """Delete memories in one transaction; return how many were there."""

    def count(
        self, filters: Mapping[str, Any] | None = None, by: Sequence[str] = ()
    ) -> dict[GroupKey, int]:
        """Count memories that pass, in groups by the keys `by`; see `MemoryBackend.count`."""
