"""Looks while a bot runs whether its trades still are as their history, and records what is new."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.parameters import lives
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.lifecycle.drift.look import DriftMeter
from freqtrade_mem0.lifecycle.drift.records import noted
from freqtrade_mem0.run.bot.looks import Looks

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.run.bot.session import BotSession

logger = logging.getLogger(__name__)


class DriftWatch:
    """Looks once trades have closed, and once a day.

    For the thread of the chores.

    Parameters
    ----------
    session
        Of the bot.
    store
        Its memory.
    tell
        Takes a new risk event, for the owner.
    pause
        Called every few milliseconds of a look; returns False where it has to stop.
    """

    def __init__(
        self,
        session: BotSession,
        store: MemoryFolder,
        tell: Callable[[RiskEvent], None],
        pause: Callable[[], bool],
    ) -> None:
        self._session = session
        self._store = store
        self._tell = tell
        self._looks = Looks(pause)
        self._meter = DriftMeter()
        self._looked: tuple[int, date] | None = None

    def run(self, moment: datetime) -> None:
        """Look, if there is something new and the last look is not too long ago."""
        due = (self._session.n_closed, moment.date())
        settings = self._store.settings
        if due == self._looked or not self._looks.are_due:
            return
        if not settings.drift.enabled or not settings.categories.risk_profile:
            return
        origin, journal = self._session.origin, self._store.journal
        with self._looks.one():
            drift = self._meter.measure(journal, origin, settings.drift, moment, self._looks.go_on)
            earlier = list(OwnRecords(journal, origin).events())
            updates = lives(self._store, origin.user_id, origin.strategy)
            for event, others in noted(drift, earlier, updates, settings.drift, moment):
                with_others = settings.categories.learning_insights
                journal.append([event, *(others if with_others else ())])
                logger.info("%s", event.sentence())
                self._tell(event)
            self._looked = due
