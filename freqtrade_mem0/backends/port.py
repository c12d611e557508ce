"""What every backend offers; one contract suite (`tests/contract`) runs over all of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from freqtrade_mem0.records.memory import Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.records.memory import Memory

Filters = dict[str, Any]
"""Mem0's filter language, `{"user_id": "me", "pair": {"in": [...]}, "AND": [...], ...}`.

`freqtrade_mem0.backends.filters` defines each operator.
"""

SCOPE_KEYS = ("user_id", "agent_id", "run_id")
"""Mem0's three scopes: owner, strategy, and bot or backtest run."""

GroupKey = tuple[Scalar | None, ...]
"""The values of the keys that memories are counted by; None where a memory lacks the key."""


class MemoryBackend(Protocol):
    """A store of memories. Methods may block and must not be called from a trading callback.

    Threads may share an instance; several processes may open the same store at once. Every method
    raises `BackendError`, and nothing else, when the store fails. The error is `permanent` when the
    memory or the filter itself is refused and would be refused again.
    """

    @property
    def name(self) -> str:
        """Short name for people, for example "embedded"."""

    @property
    def upkeep_limits(self) -> Sequence[str]:
        """What it can not do when memories age, one sentence each for the owner."""

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of `memories`, or raise.

        A memory with the same id is replaced; of one id given twice the last counts. At least one
        scope id (user, agent, run) must be given, without blanks. Metadata must not use the names
        that Mem0 keeps for itself (`payload.RESERVED_KEYS`).
        """

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by relevance to `query`, best first, each with its score.

        `filters` must name at least one of user_id, agent_id, run_id (a rule of Mem0) and `query`
        must hold a word. A `limit` of zero or less gives nothing.
        """

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes `filters`, in order of `(created_at, id)`."""

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Yield memories that pass and were stored or replaced at `since` or later, in any order.

        Each has a `stored_at`, by its writer's clock. A reader that continues from the latest time
        it saw must go back a little: clocks differ, and writes may be under way. None yields all.
        """

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these memories; return how many were there."""

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count memories that pass `filters`, grouped by the metadata keys `by` (missing: None).

        Without `by` the answer has the one key `()`; with it, groups without a member are left out.
        `by` may name scopes (user_id, agent_id, run_id), too.
        """

    def compress(self, memory_ids: Sequence[str]) -> int:
        """Store the vectors of these memories in fewer bytes; return how many it did.

        Everything else about them stays. 0 where the store can not do it.
        """

    def renew(self, limit: int) -> int:
        """Embed up to `limit` memories anew whose vectors another embedder made; return how many.

        Until then a search finds them by their words alone. 0 where none is left, or where the
        store does not know.
        """

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes that each memory takes, by id; empty where the store does not tell."""

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:
        """Give the space of deleted memories back to the disk; return how many bytes that were.

        Other processes can write meanwhile: it works in small steps, and waits between them with
        `pause(seconds)`; where no other process uses the store (`alone`), in large ones, and then
        no deleted text is left in its files. 0 where the store can not do it.
        """

    def pages_for_children(
        self, filters: Filters, size: int
    ) -> Sequence[Callable[[], list[Memory]]]:
        """Return what reads the memories that pass, for forked children, up to `size` each.

        Files are closed for a fork, and this process must not use the store before the children
        have ended. Nothing is returned where a child can not use it.
        """

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless; later calls are refused."""
