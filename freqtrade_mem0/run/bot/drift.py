"""Looks while a bot runs whether its trades still are as their history, and records what is new."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.parameters import lives
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.lifecycle.drift.look import DriftMeter
from freqtrade_mem0.lifecycle.drift.records import noted

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date, datetime

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.run.bot.session import BotSession

logger = logging.getLogger(__name__)

_REST = 100.0
"""Pause after a look, in times of what the look took; so all looks take 1 % of the time at most."""


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
        self._pause = pause
        self._meter = DriftMeter()
        self._looked: tuple[int, date] | None = None
        self._not_before_s = -math.inf

    def run(self, moment: datetime) -> None:
        """Look, if there is something new and the last look is not too long ago."""
        due = (self._session.n_closed, moment.date())
        settings = self._store.settings
        if due == self._looked or time.monotonic() < self._not_before_s:
            return
        if not settings.drift.enabled or not settings.categories.risk_profile:
            return
        began_s = time.monotonic()
        origin, journal = self._session.origin, self._store.journal
        try:
            drift = self._meter.measure(journal, origin, settings.drift, moment, self._go_on)
        except _StoppedError:
            return
        earlier = list(OwnRecords(journal, origin).events())
        updates = lives(self._store, origin.user_id, origin.strategy)
        for event, others in noted(drift, earlier, updates, settings.drift, moment):
            with_others = settings.categories.learning_insights
            journal.append([event, *(others if with_others else ())])
            logger.info("%s", event.sentence())
            self._tell(event)
        self._looked = due
        ended_s = time.monotonic()
        self._not_before_s = ended_s + _REST * (ended_s - began_s)

    def _go_on(self) -> None:
        if not self._pause():
            raise _StoppedError


class _StoppedError(Exception):
    """The bot stops."""
