"""Appends of many threads, several in one transaction: they wait for the disk once, together."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.journal.journal import Journal


@dataclass(slots=True)
class _Waiting:
    entries: Any
    is_done: bool = False
    error: Exception | None = None


class Together:
    """Appends to a journal for threads that wait for the disk.

    Parameters
    ----------
    journal
        Where to.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._turn = threading.Lock()

    def append(self, entries: Sequence[Entry]) -> None:
        """Append `entries`; all of them are durable when this returns, or none and it raises.

        The thread whose turn it is appends for all that wait. Each gets the error of its own
        entries alone.
        """
        mine = _Waiting(entries)
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            if not mine.is_done:
                with self._lock:
                    batch, self._waiting = self._waiting, []
                self._append(batch)
        if mine.error is not None:
            raise mine.error

    def _append(self, batch: list[_Waiting]) -> None:
        try:
            self._journal.append([entry for each in batch for entry in each.entries])
        except Exception as error:  # noqa: BLE001 - each caller is told below
            if len(batch) == 1:
                batch[0].error = error
            else:
                for each in batch:
                    self._append([each])
        for each in batch:
            each.is_done = True
