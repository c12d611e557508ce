"""Reads the trades of a strategy in the order in which they became known, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


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
