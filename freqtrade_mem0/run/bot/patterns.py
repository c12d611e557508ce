"""Notices patterns while a bot runs, after its trades close."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

from freqtrade_mem0.lifecycle.patterns import is_news, refreshed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.run.bot.session import BotSession

logger = logging.getLogger(__name__)

_REST = 100.0
"""Pause after a look, in times of what the look took; so all looks take 1 % of the time at most."""


class PatternWatch:
    """Looks for patterns once trades have closed, and records what is new.

    For the thread of the chores. A start of the bot looks for nothing.

    Parameters
    ----------
    session
        Of the bot.
    store
        Its memory.
    pause
        Called every few milliseconds of a look; returns False where it has to stop.
    """

    def __init__(self, session: BotSession, store: MemoryFolder, pause: Callable[[], bool]) -> None:
        self._session = session
        self._store = store
        self._pause = pause
        self._n_closed = 0
        self._not_before_s = -math.inf

    def run(self, moment: datetime) -> None:
        """Look, if trades have closed since the last look and it is not too long ago."""
        n_closed = self._session.n_closed
        if n_closed == self._n_closed or time.monotonic() < self._not_before_s:
            return
        settings = self._store.settings
        if not settings.categories.learning_insights:
            return
        began_s = time.monotonic()
        origin = self._session.origin
        try:
            seen = refreshed(
                self._store.journal, origin, moment, settings.lifecycle, self._pause_or_stop
            )
        except _StoppedError:
            return
        news = [record for record in seen.records if is_news(record, seen.kept)]
        if news:
            self._store.journal.append(news)
        for record in news:
            logger.info("%s", record.sentence())
        self._n_closed = n_closed
        ended_s = time.monotonic()
        self._not_before_s = ended_s + _REST * (ended_s - began_s)

    def _pause_or_stop(self) -> None:
        if not self._pause():
            raise _StoppedError


class _StoppedError(Exception):
    """The bot stops."""
