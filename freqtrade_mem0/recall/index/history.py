"""Reads the trades of a strategy in the order in which they became known, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BEFORE_ALL = -(1 << 62)
_PAGE = 1 << 15


class HistoryReader:
    """How far a history has been read. The history calls `changed` at every change.

    The reader starts over when it is asked about an earlier moment than before, or when a trade
    before the last moment was added or removed. So what it has returned since it last started over
    is always what a new reader would return.
    """

    def __init__(self) -> None:
        self._n_read = 0
        self._read_ms: int | None = None
        """Trades known before this moment have been read; None: it starts over."""

    def changed(self, known_ms: int) -> None:
        """Take note that a trade known at that time was added or removed."""
        if self._read_ms is not None and known_ms < self._read_ms:
            self.start_over()

    def start_over(self) -> None:
        """Read from the beginning next time."""
        self._n_read, self._read_ms = 0, None

    def read_on(self, n_before: Callable[[int], int], now_ms: int) -> tuple[bool, int, int]:
        """Return whether it started over, and the range of the trades to read next: start, stop.

        `n_before` returns how many trades are known strictly before a moment.
        """
        if self._read_ms is not None and now_ms < self._read_ms:
            self.start_over()
        starts_over, first = self._read_ms is None, self._n_read
        self._n_read, self._read_ms = n_before(now_ms), now_ms
        return starts_over, first, self._n_read


class EntryReader:
    """Reads trades in their order, page by page; goes back only as far as something changed.

    The moments asked about may go forwards and backwards; what was read stays read.
    """

    def __init__(self) -> None:
        self._n_read = 0
        self._read_ms: int | None = None
        """Trades known before this moment are being read; None: nothing has been read."""
        self._is_read = False
        """Whether all of them have been read."""
        self._changed_ms: int | None = None
        """The earliest change among those read since the last call."""

    def changed(self, known_ms: int) -> None:
        """Take note that a trade known at that time was added or removed."""
        if self._read_ms is not None and known_ms < self._read_ms:
            earlier = self._changed_ms
            self._changed_ms = known_ms if earlier is None else min(earlier, known_ms)

    def skip(self, n: int, read_ms: int) -> None:
        """Take the first `n` trades, which are all that are known before a moment, as read."""
        self._n_read, self._read_ms, self._is_read = n, read_ms, True

    def start_over(self) -> None:
        """Read from the beginning next time."""
        if self._read_ms is not None:
            self._changed_ms = _BEFORE_ALL

    def read_on(self, n_before: Callable[[int], int], now_ms: int) -> tuple[int, int, bool]:
        """Return how many of the trades read before still hold, and the end of those to read next.

        And whether all trades before the moment have been read then.
        `n_before` returns how many trades are known strictly before a moment.
        """
        read_ms, n_kept = self._read_ms, self._n_read
        if read_ms is None or read_ms < now_ms:
            read_ms = now_ms
        if self._changed_ms is not None:
            n_kept, self._changed_ms = min(n_kept, n_before(self._changed_ms)), None
        elif read_ms == self._read_ms and self._is_read:
            return n_kept, n_kept, True
        n_all, end = n_before(read_ms), n_kept + _PAGE
        self._read_ms, self._is_read = read_ms, n_all <= end
        self._n_read = min(n_all, end)
        return n_kept, self._n_read, self._is_read
