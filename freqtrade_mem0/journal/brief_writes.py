"""Work on a journal beside running bots: short transactions, and pauses while others wait."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.sqlite_files.turns import give_way

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class BriefWrites:
    """Writes to a journal in short transactions, so that a bot waits for milliseconds.

    Parameters
    ----------
    journal
        The journal.
    pause
        Waits for some seconds.
    has_to_stop
        Whether to end soon.
    """

    journal: Journal
    pause: Callable[[float], None] = time.sleep
    has_to_stop: Callable[[], bool] = lambda: False

    @contextmanager
    def one(self) -> Iterator[sqlite3.Connection]:
        """Give the writing connection for one short transaction, then give way."""
        began_s = time.perf_counter()
        with self.journal.connection.write() as sqlite:
            yield sqlite
        give_way(self.journal.path, self.pause, time.perf_counter() - began_s)
