"""A copy of recall's state for a snapshot, reduced to what was read from the journal.

Recall also has trades that were not read from the journal: those of a prior, and those that its own
bot has just closed. They are not in a snapshot: loading it has to give the same as reading the
journal.
"""

from __future__ import annotations

import threading
from array import array
from bisect import insort
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.shrinkage import Key
from freqtrade_mem0.recall.index.columns import TradeColumns, strategy_group
from freqtrade_mem0.recall.index.sums import Decay, Plain, terms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

PAGE_ROWS = 1 << 15
"""Rows copied at once, while recall is locked for less than a millisecond. It is also the page size
of the file, so that another number is another format; see `snapshot_file`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallState:
    """The state of a recall at one moment.

    Parameters
    ----------
    lock
        Recall's own. Rows are append-only, so it is held for one page at a time.
    columns
        Recall's own; they may have grown since.
    decay
        Weights of the trades.
    by_time
        Numbers of the rows that counted, by time, then id.
    is_from_journal
        By row, 1 if it was read from the journal.
    overruled
        Rows read from the journal that a later version, not yet read there, had replaced.
    asked_ms
        Rows known before this moment were in the sums.
    groups
        Key, groups it is inside of, and sums, by number.
    """

    lock: threading.Lock
    columns: TradeColumns
    decay: Decay
    by_time: array[int]
    is_from_journal: bytearray
    overruled: Sequence[int]
    asked_ms: int
    groups: Sequence[tuple[Key, tuple[Key, ...], Plain]]

    def journal_rows(self) -> NDArray[np.int32]:
        """Return the numbers of the rows read from the journal, by time, then id."""
        rows = self._counted()[self._read_from_journal()]
        if not self.overruled:
            return rows
        merged = rows.tolist()
        for number in self.overruled:
            insort(merged, number, key=self.columns.place_of)
        return np.array(merged, dtype=np.int32)

    def journal_sums(self) -> list[Plain]:
        """Return the sums of the trades read from the journal, by the group's number."""
        sums = [list(plain) for _, _, plain in self.groups]
        for number in self._counted()[~self._read_from_journal()].tolist():
            self._count(sums, number, -1)
        for number in self.overruled:
            self._count(sums, number, +1)
        return [(one[0], one[1], one[2], one[3], one[4], one[5]) for one in sums]

    def pages(self, rows: NDArray[np.int32]) -> Iterator[list[bytes]]:
        """Yield some rows, `PAGE_ROWS` at a time; see `TradeColumns.packed_rows`."""
        for first in range(0, len(rows), PAGE_ROWS):
            with self.lock:
                page = self.columns.packed_rows(rows[first : first + PAGE_ROWS])
            yield page

    def _counted(self) -> NDArray[np.int32]:
        return np.frombuffer(self.by_time, dtype=np.int32)

    def _read_from_journal(self) -> NDArray[np.bool_]:
        return np.frombuffer(self.is_from_journal, dtype=np.bool_)[self._counted()]

    def _count(self, sums: list[list[int]], number: int, sign: int) -> None:
        with self.lock:
            row = self.columns.row(number)
        if row.known_ms >= self.asked_ms:
            return
        weight = sign * self.decay.weight(row.known_ms) * row.discount
        added = terms(weight, row.ratio)
        groups = (group for group in row.groups if group >= 0)
        for group in (strategy_group(row.flags), *groups):
            for place, term in enumerate(added):
                sums[group][place] += term
