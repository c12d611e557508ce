"""The runtime of a strategy: its session, its journal writer, and how they are closed.

`run.backtest` and `run.bot.runtime` add what a backtest and a bot need.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.run.setup import session_setup
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from freqtrade_mem0.journal.writer import JournalWriter, Submitted
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.recall.priors import Prior
    from freqtrade_mem0.records.kinds.opportunity import Why
    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.run.session import Session

CLOSE_TIMEOUT_S = 5.0
"""Longest wait of a shutdown for the last journal entries, and for the current batch."""


class Runtime(ABC):
    """Everything that serves one strategy object while it runs.

    Parameters
    ----------
    run
        The run.
    prior
        Trades of promoted runs, known from the start.
    store
        The memory.
    now
        Wall clock, for `recorded_at` only.

    Raises
    ------
    ConfigError
        The policy can not be made, or the folder of the memory can not be used.
    JournalError
        The journal is damaged or locked.
    """

    session: Session

    def __init__(
        self, run: RunDescription, prior: Prior, store: MemoryFolder, now: Callable[[], datetime]
    ) -> None:
        self.run = run
        self.now = now
        self.store = store
        self.writer: JournalWriter | None = None
        self.setup = session_setup(run, prior)
        run.settings.trust.secret()  # a key that is not set stops the run here
        self._closed = False

    def summary(self) -> str:
        """Return in one line where memory is and what it does to stakes."""
        sizing = self.run.settings.sizing
        stakes = (
            f"stakes are scaled by x{sizing.min_multiplier:g} to x{sizing.max_multiplier:g}"
            if self.setup.applied and sizing.policy != "off"
            else "stakes stay as proposed"
        )
        own = self.run.settings
        place = f" in {self.store.folder} (user {own.user_id!r}, mode {own.mode!r})"
        where = place if self.run.kind.writes else ""
        return (
            f"Memory is on{where}: {counted(len(self.setup.recall), 'trade')} of "
            f"{self.run.origin.strategy} known, policy {sizing.policy}, {stakes}."
        )

    def entry_confirmed(self, pair: str, side: str) -> bool:
        """Record the decision of a confirmed entry; return False where memory vetoes it."""
        answer = self.session.entry_confirmed(pair, side)
        return answer is None or not answer.is_vetoed

    @abstractmethod
    def entry_answered(self, call: Mapping[str, Any], why: Why | None) -> None:
        """Note why an entry is not made; None: its order is about to be placed."""

    def submit(self, entry: Submitted) -> None:
        """Hand an entry to the journal, in a run that writes."""
        if self.writer is not None:
            self.writer.submit(entry)

    @property
    def is_recorded(self) -> bool:
        """Whether everything submitted is in the journal."""
        return self.writer is not None and self.writer.waiting == 0

    def close(self) -> None:
        """Close everything. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as closing:  # where one part raises, the others are still closed
            self._close_parts(closing)

    @abstractmethod
    def _close_parts(self, closing: ExitStack) -> None:
        """Add what is to be closed; the last one added is closed first."""
