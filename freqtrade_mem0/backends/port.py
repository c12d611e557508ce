"""What every home of memories offers. One contract suite (`tests/contract`) runs over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freqtrade_mem0.records.memory import Memory

Filters = dict[str, Any]
"""Mem0's filter language: `{"user_id": "me", "pair": {"in": [...]}, "AND": [...], ...}`."""


class MemoryBackend(Protocol):
    """A store of memories. Methods may block and must never be called from a trading callback.

    Instances may be shared between threads; several processes may open the same store at once.
    Every method raises `BackendError` (and nothing else) when the store can not do its work.
    """

    @property
    def name(self) -> str:
        """Short name for people, for example "embedded"."""

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of `memories`, or raise; an id that is there already is replaced, never doubled."""

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by relevance to `query`, best first, each with its score.

        `filters` must name at least one of user_id, agent_id, run_id (a rule of Mem0).
        """

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes `filters`, in order of `(created_at, id)`, without a limit."""

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these memories; return how many were there."""

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[tuple[Scalarish, ...], int]:
        """Count memories that pass `filters`, grouped by the metadata keys `by` (missing: None).

        Without `by` the answer has the one key `()`.
        """

    def close(self) -> None:
        """Release files, locks and connections. Closing twice is harmless."""


Scalarish = str | int | float | bool | None
