"""The closed trades of an epoch of hyperopt, as memory's account reads them, and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.insight.closed_entry import ClosedEntry
    from freqtrade_mem0.recall.index.history import EntryReader

_known_ms = itemgetter(0)


class EntryList:
    """Closed trades in the order in which they became known, then of their ids, as in a recall.

    It has no groups and no sums, and is read once, so a trade costs a tenth of what it costs there.
    For one thread.

    Parameters
    ----------
    id_of
        Returns the record id of a trade, which is asked for where trades became known in the same
        millisecond.
    """

    def __init__(self, id_of: Callable[[Any], str]) -> None:
        self.version = 0
        """Grows with each trade that is added."""
        self._id_of = id_of
        self._entries: list[ClosedEntry] = []
        self._trades: list[Any] = []
        self._read_ms = 0
        self._n_kept = 0
        """How many trades were read and still are where they were."""

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Remove all trades."""
        self._entries, self._trades = [], []
        self._read_ms = self._n_kept = 0
        self.version += 1

    def add(self, entry: ClosedEntry, trade: Any) -> None:
        """Add a trade that has never been added."""
        self.version += 1
        entries = self._entries
        if not entries or entries[-1][0] < entry[0]:
            entries.append(entry)
            self._trades.append(trade)
            return
        place = entry[0], self._id_of(trade)
        position = bisect_left(range(len(entries)), place, key=self._place_of)
        entries.insert(position, entry)
        self._trades.insert(position, trade)
        self._n_kept = min(self._n_kept, position)

    def entries(self, _: EntryReader) -> Callable[[int], tuple[int, list[ClosedEntry], bool]]:
        """Return the function that reads the trades; see `Recall.entries`."""
        return self._read_on

    def _read_on(self, now_ms: int) -> tuple[int, list[ClosedEntry], bool]:
        entries, n_kept = self._entries, self._n_kept
        read_ms = self._read_ms = max(self._read_ms, now_ms)
        if not entries or entries[-1][0] < read_ms:
            end = len(entries)  # nearly always
        else:
            end = bisect_left(entries, read_ms, key=_known_ms)
        self._n_kept = end
        return n_kept, entries[n_kept:end], True

    def _place_of(self, number: int) -> tuple[int, str]:
        return self._entries[number][0], self._id_of(self._trades[number])
