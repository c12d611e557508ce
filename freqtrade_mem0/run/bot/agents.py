"""Keeps the memory of agents up to date while a bot runs: learned rules, outcomes, files."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.live_files import LiveFiles
from freqtrade_mem0.core_memory.outcomes import Outcomes
from freqtrade_mem0.core_memory.rules import acting_rules, note_active
from freqtrade_mem0.run.setup import learned_rules
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.run.bot.session import BotSession

logger = logging.getLogger(__name__)


class AgentUpkeep:
    """Takes up rules that were approved or retired, and fills in outcomes by the bots' trades.

    For the thread of the chores. Where the journal has nothing new, a look reads one number.
    """

    def __init__(self, session: BotSession, store: MemoryFolder) -> None:
        self._session = session
        self._store = store
        self._outcomes = Outcomes(store.journal, session.origin.user_id)
        self._files = LiveFiles(store, session.origin.user_id)
        self._seen_seq = -1

    def run(self, moment: datetime) -> None:
        """Look at what is new in the journal."""
        journal, origin = self._store.journal, self._session.origin
        last_seq = journal.last_seq()
        if last_seq == self._seen_seq:
            return
        acting = acting_rules(journal, origin, moment)
        self._session.replace_rules(learned_rules(self._store.settings, acting))
        if note_active(journal, origin, moment):
            acts = counted(len(acting), "learned rule")
            logger.info("%s of %s: stakes follow from the next entry.", acts, origin.strategy)
        if self._store.settings.categories.learning_insights:
            self._outcomes.resolve(moment, journal.append)
        if self._files.update():
            self._seen_seq = last_seq
