"""The backend of `mode: "local"`: answers from the journal, without Mem0."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder
from freqtrade_mem0.backends.in_process.semantic import SemanticEmbedder, is_installed
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.port import Filters, GroupKey
    from freqtrade_mem0.records.memory import Memory


class LocalBackend:
    """Answers from memories that the journal holds; stores nothing itself.

    `write` and `delete` change nothing: the journal has already been written. Each call reads the
    source again, and a search embeds all that passes the filter (about 80 us per memory), which is
    fast enough for a person's question.

    Parameters
    ----------
    source
        Gives all memories, in any order; of one id given twice the last counts. It is called from
        the thread that asks, and must be safe for that.
    """

    name = "local"
    upkeep_limits = ()

    def __init__(self, source: Callable[[], Iterable[Memory]]) -> None:
        self._source = source
        self._is_closed = False

    def write(self, memories: Sequence[Memory]) -> None:
        """Check the memories as other backends do; the journal stores them."""
        self._refuse_if_closed()
        for memory in memories:
            payload.to_payload(memory, str)

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""
        return self._memories().get(memory_id)

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by meaning and by words shared with `query`, best first."""
        payload.check_search(query, filters)
        found = self._passing(filters)
        if limit <= 0 or not found:
            return []
        texts = [each.text for each in found]
        embedders: list[HashingEmbedder | SemanticEmbedder] = [HashingEmbedder()]
        if is_installed():
            embedders.append(SemanticEmbedder())
        cosines = [each.embed_matrix(texts) @ each.embed(query, "search") for each in embedders]
        scores = np.clip(cosines, 0.0, 1.0).mean(axis=0)
        best = np.argsort(-scores, kind="stable")[:limit]
        return [replace(found[at], score=float(scores[at])) for at in best]

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes, by `(created_at, id)`; see `MemoryBackend.scan`."""
        return iter(self._passing(filters))

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:  # noqa: ARG002
        """Yield everything that passes: nothing here knows when a memory was stored."""
        return self.scan(filters=filters)

    def delete(self, memory_ids: Sequence[str]) -> int:  # noqa: ARG002 - nothing is stored here
        """Delete nothing and return 0: records are retracted in the journal."""
        self._refuse_if_closed()
        return 0

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count memories that pass, in groups by `by`; see `MemoryBackend.count`."""
        return payload.count_groups(self._passing(filters), by)

    def compress(self, memory_ids: Sequence[str]) -> int:  # noqa: ARG002 - as `delete`
        """Compress nothing: there are no vectors."""
        self._refuse_if_closed()
        return 0

    def renew(self, limit: int) -> int:  # noqa: ARG002 - as `delete`
        """Renew nothing: there are no vectors."""
        self._refuse_if_closed()
        return 0

    def sizes(self) -> Mapping[str, int]:
        """Return nothing: what the journal holds is counted there."""
        self._refuse_if_closed()
        return {}

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:  # noqa: ARG002 - as `delete`
        """Shrink nothing: the journal is compacted by itself."""
        self._refuse_if_closed()
        return 0

    def pages_for_children(
        self,
        filters: Filters,  # noqa: ARG002
        size: int,  # noqa: ARG002
    ) -> Sequence[Callable[[], list[Memory]]]:
        """Return nothing: the journal has a connection open."""
        return []

    def close(self) -> None:
        """Refuse further calls."""
        self._is_closed = True

    def _memories(self) -> dict[str, Memory]:
        self._refuse_if_closed()
        return {memory.id: memory for memory in self._source()}

    def _passing(self, filters: Filters) -> list[Memory]:
        node = parse_filters(filters)
        memories = self._memories().values()
        found = [each for each in memories if matches(node, payload.as_filterable(each))]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise BackendError("The local memories are closed; open them anew to use them.")
