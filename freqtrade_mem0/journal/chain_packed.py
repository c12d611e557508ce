"""Items of a chain and ranges of rows, packed: a long journal has millions."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.chain import DIGEST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freqtrade_mem0.journal.chain import Item

_N_KINDS = 8


class LastItems:
    """The last item of each row, packed: a long journal has millions."""

    def __init__(self) -> None:
        self._keys = array("q")
        self._digests = bytearray()

    def add(self, item: Item) -> None:
        """Add the next item."""
        self._keys.append(item.row * _N_KINDS + item.kind)
        self._digests += item.digest

    def close(self) -> None:
        """Sort; nothing can be added afterwards."""
        keys = np.frombuffer(self._keys, dtype=np.int64)
        order = np.argsort(keys, kind="stable")
        ends = np.flatnonzero(np.diff(keys[order], append=-1)) if len(keys) else order
        self._at = order[ends]
        self._sorted = keys[self._at]
        self._seen = np.zeros(len(self._at), dtype=bool)

    def take(self, kind: int, row: int) -> tuple[int, bytes] | None:
        """Return number and digest of the last item of a row; None if it has none."""
        key = row * _N_KINDS + kind
        found = int(np.searchsorted(self._sorted, key))
        if found == len(self._sorted) or self._sorted[found] != key:
            return None
        self._seen[found] = True
        at = int(self._at[found])
        return at + 1, bytes(self._digests[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES])

    def rest(self) -> Iterator[tuple[int, int, int]]:
        """Yield number, kind and row of what was not taken."""
        for found in np.flatnonzero(~self._seen):
            row, kind = divmod(int(self._sorted[found]), _N_KINDS)
            if kind in (chain.RECORD, chain.DECISION, chain.OLD_DECISION):
                yield int(self._at[found]) + 1, kind, row


class Days:
    """The day an item was written on, from the days and the number of the last item of each."""

    def __init__(self, roots: Sequence[tuple[str, int]]) -> None:
        self._days = [day for day, _ in roots]
        self._ends = np.array([n for _, n in roots])

    def __call__(self, n: int) -> str:
        """Return the day of item `n`."""
        at = int(np.searchsorted(self._ends, n))
        return self._days[min(at, len(self._days) - 1)]


class Ranges:
    """Row numbers as ranges."""

    def __init__(self, parts: list[list[int]]) -> None:
        ordered = sorted(parts)
        self._starts = [start for start, _ in ordered]
        self._ends = np.maximum.accumulate([end for _, end in ordered]) if ordered else np.array([])

    def __contains__(self, row: int) -> bool:
        at = int(np.searchsorted(self._starts, row, side="right")) - 1
        return at >= 0 and bool(self._ends[at] >= row)
