"""The closed trades of an epoch of hyperopt, as memory's account reads them, and nothing else."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.insight.closed_entry import ClosedEntry
    from freqtrade_mem0.recall.index.history import EntryReader


class EntryList:
    """Closed trades in the order in which they became known, then of their ids, as in a recall.

    It has no groups and no sums, so a trade costs a tenth of what it costs there. For one thread.
    """

    def __init__(self) -> None:
        self.version = 0
        """Grows with each trade that is added."""
        self._entries: list[ClosedEntry] = []
        self._ids: list[Callable[[], str]] = []
        self._readers: list[EntryReader] = []

    def __len__(self) -> int:
        return len(self._entries)

    def clear(self) -> None:
        """Remove all trades."""
        self._entries, self._ids = [], []
        self.version += 1
        for reader in self._readers:
            reader.start_over()

    def add(self, entry: ClosedEntry, make_id: Callable[[], str]) -> None:
        """Add a trade that has never been added.

        Parameters
        ----------
        entry
            The trade.
        make_id
            Returns its record id, which is asked for where trades became known in the same
            millisecond.
        """
        entries, ids = self._entries, self._ids
        position = len(entries)
        if entries and entries[-1].known_ms >= entry.known_ms:
            place = entry.known_ms, make_id()
            position = bisect_left(range(position), place, key=self._place_of)
        entries.insert(position, entry)
        ids.insert(position, make_id)
        self.version += 1
        for reader in self._readers:
            reader.changed(entry.known_ms)

    def entries(self, reader: EntryReader) -> Callable[[int], tuple[int, list[ClosedEntry], bool]]:
        """Return a function that reads the trades, each once, as a new reader says.

        See `Recall.entries`.
        """
        self._readers.append(reader)

        def read_on(now_ms: int) -> tuple[int, list[ClosedEntry], bool]:
            n_kept, end, is_all = reader.read_on(self._n_before, now_ms)
            return n_kept, self._entries[n_kept:end], is_all

        return read_on

    def _n_before(self, now_ms: int) -> int:
        entries = self._entries
        if not entries or entries[-1].known_ms < now_ms:
            return len(entries)  # nearly always
        return bisect_left(entries, now_ms, key=_known_ms)

    def _place_of(self, number: int) -> tuple[int, str]:
        return self._entries[number].known_ms, self._ids[number]()


def _known_ms(entry: ClosedEntry) -> int:
    return entry.known_ms
