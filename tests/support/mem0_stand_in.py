"""A Mem0 that keeps memories in a dict, counts what it is asked, and fails or waits on command."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.local import LocalBackend
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freqtrade_mem0.backends.port import Filters, GroupKey
    from freqtrade_mem0.records.memory import Memory

PATIENCE_S = 120.0


class Mem0StandIn(LocalBackend):
    """Searches and filters as `LocalBackend` does, and stores on its own."""

    name = "stand-in"

    def __init__(self) -> None:
        self.memories: dict[str, Memory] = {}
        super().__init__(lambda: list(self.memories.values()))
        self.asked: list[str] = []
        """The name of each call, in order."""
        self.is_away = False
        self.takes_writes = True
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.n_inside = 0
        self.most_inside = 0
        self._counting = threading.Lock()

    def n_asked(self, name: str) -> int:
        """Return how often a method was called."""
        return self.asked.count(name)

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all, or fail as commanded."""
        self._enter("write")
        if not self.takes_writes:
            raise BackendError("Mem0 takes nothing now.")
        super().write(memories)
        self.memories.update({each.id: each for each in memories})

    def get(self, memory_id: str) -> Memory | None:
        """Look up by id."""
        self._enter("get")
        return super().get(memory_id)

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Search by shared words: as of the call, however long the answer takes."""
        found = super().search(query, filters=filters, limit=limit)
        self._enter("search")
        return found

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Filter: as of the call, however long the answer takes."""
        found = super().scan(filters=filters)
        self._enter("scan")
        return found

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete by id."""
        self._enter("delete")
        return sum(self.memories.pop(each, None) is not None for each in memory_ids)

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count."""
        self._enter("count")
        return super().count(filters=filters, by=by)

    def _enter(self, name: str) -> None:
        with self._counting:
            self.asked.append(name)
            self.n_inside += 1
            self.most_inside = max(self.most_inside, self.n_inside)
        try:
            assert self.may_answer.wait(PATIENCE_S), "nobody let the stand-in answer"
        finally:
            with self._counting:
                self.n_inside -= 1
        if self.is_away:
            raise BackendError("Mem0 is away.")
