"""Notices patterns while a bot runs, after its trades close."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade_mem0.lifecycle.patterns import is_news, refreshed
from freqtrade_mem0.run.bot.looks import Looks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.run.bot.session import BotSession

logger = logging.getLogger(__name__)


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
        self._looks = Looks(pause)
        self._n_closed = 0

    def run(self, moment: datetime) -> None:
        """Look, if trades have closed since the last look and it is not too long ago."""
        n_closed = self._session.n_closed
        if n_closed == self._n_closed or not self._looks.are_due:
            return
        settings = self._store.settings
        if not settings.categories.learning_insights:
            return
        origin = self._session.origin
        with self._looks.one():
            seen = refreshed(
                self._store.journal, origin, moment, settings.lifecycle, self._looks.go_on
            )
            news = [record for record in seen.records if is_news(record, seen.kept)]
            if news:
                self._store.journal.append(news)
            for record in news:
                logger.info("%s", record.sentence())
            self._n_closed = n_closed
