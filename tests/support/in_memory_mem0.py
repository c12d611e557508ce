"""A Mem0 that lives in a dictionary and fails on command; shared by several stores at once."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.records.mapping import from_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from freqtrade_mem0.backends.port import Filters, GroupKey
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

WAIT_S = 30.0


class InMemoryMem0:
    """A backend that fails on command, and remembers what it was asked."""

    name = "in memory"

    def __init__(self) -> None:
        self.memories: dict[str, Memory] = {}
        self.writes: list[list[str]] = []
        """Ids of each attempt to write."""
        self.yielded: list[int] = []
        """How many memories each call of `changes` gave."""
        self.is_away = False
        self.retry_after_s: float | None = None
        self.refused: set[str] = set()
        self.loses_answers = 0
        """So many next writes are stored, and reported as failed all the same."""
        self.breaks_off_after: int | None = None
        """Reading fails after so many memories."""
        self.in_write = threading.Event()
        self.may_write = threading.Event()
        self.may_write.set()
        self.now = datetime(2024, 6, 2, tzinfo=UTC)
        """The clock of whoever writes."""

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of them, or fail as commanded."""
        self.in_write.set()
        assert self.may_write.wait(WAIT_S)
        self.writes.append([memory.id for memory in memories])
        self._refuse_if_away()
        if self.refused & {memory.id for memory in memories}:
            raise BackendError("Mem0 refuses one of them.", permanent=True)
        self.put(*memories)
        if self.loses_answers > 0:
            self.loses_answers -= 1
            raise BackendError("The connection broke.")

    def put(self, *memories: Memory) -> None:
        """Store memories as somebody else would."""
        for memory in memories:
            self.memories[memory.id] = replace(memory, stored_at=self.now)

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory."""
        return self.memories.get(memory_id)

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Nobody asks."""
        raise NotImplementedError

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield what passes."""
        return self.changes(filters=filters, since=None)

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Yield what passes and was stored since then, and count it."""
        self._refuse_if_away()
        node = parse_filters(payload.stored_since(filters, since))
        found = [
            each
            for each in list(self.memories.values())
            if matches(node, payload.as_filterable(each))
        ]
        self.yielded.append(0)
        for number, memory in enumerate(found):
            if number == self.breaks_off_after:
                raise BackendError("The connection broke.")
            self.yielded[-1] += 1
            yield memory

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these."""
        self._refuse_if_away()
        return sum(self.memories.pop(memory_id, None) is not None for memory_id in memory_ids)

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count what passes."""
        self._refuse_if_away()
        node = parse_filters(filters)
        return payload.count_groups(
            [each for each in self.memories.values() if matches(node, payload.as_filterable(each))],
            by,
        )

    upkeep_limits = ("This Mem0 keeps vectors as they are.",)

    def compress(self, memory_ids: Sequence[str]) -> int:  # noqa: ARG002
        """Compress nothing."""
        self._refuse_if_away()
        return 0

    def renew(self, limit: int) -> int:  # noqa: ARG002
        """Renew nothing."""
        self._refuse_if_away()
        return 0

    def sizes(self) -> Mapping[str, int]:
        """Tell nothing."""
        return {}

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:  # noqa: ARG002
        """Shrink nothing."""
        self._refuse_if_away()
        return 0

    def pages_for_children(
        self,
        filters: Filters,  # noqa: ARG002
        size: int,  # noqa: ARG002
    ) -> Sequence[Callable[[], list[Memory]]]:
        """Return nothing: what is read in this process is counted."""
        return []

    def close(self) -> None:
        """Nothing to release."""

    def records(self) -> list[Record]:
        """Return what it has, in the order in which it first came."""
        return [from_memory(memory) for memory in self.memories.values()]

    def _refuse_if_away(self) -> None:
        if self.is_away:
            raise BackendError("Mem0 is away.", retry_after_s=self.retry_after_s)
