"""Reads the trades of a strategy in the order in which they became known, each of them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class HistoryReader:
    """How far a history has been read; whoever changes the history tells its readers.

    It begins anew when it is asked about an earlier moment than before, or when something before
    the last moment came or went. So what it has given since it last began is always what a fresh
    reader would give at once.
    """

    def __init__(self) -> None:
        self._n_read = 0
        self._read_ms: int | None = None
        """Everything known before this moment has been given; None: it begins anew."""

    def changed(self, known_ms: int) -> None:
        """Take note that a trade known at that time came or went."""
        if self._read_ms is not None and known_ms < self._read_ms:
            self.begin_anew()

    def begin_anew(self) -> None:
        """Give everything again at the next reading."""
        self._n_read, self._read_ms = 0, None

    def read_on(self, n_before: Callable[[int], int], now_ms: int) -> tuple[bool, int, int]:
        """Return whether it began anew, and which trades come next: from, and up to without.

        Parameters
        ----------
        n_before
            Returns how many trades of the history are known strictly before a moment. The history
            must not change during the call.
        now_ms
            Trades known strictly before it are given, milliseconds since 1970 in UTC.
        """
        if self._read_ms is not None and now_ms < self._read_ms:
            self.begin_anew()
        began_anew, first = self._read_ms is None, self._n_read
        self._n_read, self._read_ms = n_before(now_ms), now_ms
        return began_anew, first, self._n_read
