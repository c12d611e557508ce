"""Counts how often memories were given as an answer, without a write for each answer.

Counts wait in this process until something else is written through the same memory, or the memory
is closed. What a killed process counted since is lost: it decides no more than which memories are
pruned first.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from freqtrade_mem0.journal.connection import Connection

logger = logging.getLogger(__name__)

_MOST_WAITING = 10_000
"""Ids that are counted before they are written anyhow."""


class Asked:
    """The counts of one journal; safe to share between threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()
        self._waiting = Counter[str]()
        self._last_ms = 0

    def count(self, ids: Iterable[str], now: datetime) -> None:
        """Note that these memories were given as an answer; writes nothing, as a rule."""
        with self._lock:
            self._waiting.update(ids)
            self._last_ms = max(self._last_ms, to_ms(now))
            is_full = len(self._waiting) > _MOST_WAITING
        if is_full:
            self.write()

    def write(self) -> None:
        """Write what was counted; a journal that can not be written to now loses it."""
        with self._lock:
            waiting, self._waiting = self._waiting, Counter()
        if not waiting or not self._connection.path.exists():
            return
        try:
            with self._connection.write() as sqlite:
                sqlite.executemany(
                    "INSERT INTO asked (id, n, last_ms) VALUES (?1, ?2, ?3)"
                    " ON CONFLICT (id) DO UPDATE SET n = n + excluded.n,"
                    " last_ms = max(last_ms, excluded.last_ms)",
                    [(each, n, self._last_ms) for each, n in waiting.items()],
                )
        except Mem0Error as error:
            logger.debug("How often memories were asked for is not counted: %s", error)
