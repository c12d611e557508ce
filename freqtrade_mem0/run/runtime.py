"""The composition root of a backtest: builds everything it needs, and takes it down again.

`bot.runtime` adds what a bot needs besides, which a backtest does not even import.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from contextlib import ExitStack
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.host.backtest_state import BacktestLocks, BacktestTrades
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.risk.damping import Damping
from freqtrade_mem0.run.backtest import BacktestSession

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.host.run_kind import Run
    from freqtrade_mem0.journal.writer import Submitted
    from freqtrade_mem0.recall.priors import Prior
    from freqtrade_mem0.run.session import Parts, Session

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
"""Longest a shutdown waits for the last journal entries and for the batch under way."""

_BATCH = 20_000
"""Entries of a backtest that wait for the journal, some 60 MB: most runs write at their end."""

_BATCH_BESIDE = 2_000

_MODE_OF_KIND = {
    RunKind.BACKTEST: Mode.BACKTEST,
    RunKind.HYPEROPT: Mode.BACKTEST,
    RunKind.ANALYSIS: Mode.BACKTEST,
    RunKind.DRY_RUN: Mode.DRY_RUN,
    RunKind.LIVE: Mode.LIVE,
}


class Runtime(ABC):
    """Everything that works for one strategy object while it runs.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    run
        The run.
    prior
        What the strategy knows from the start.
    now
        Wall clock, for `recorded_at` only.

    Raises
    ------
    ConfigError
        The folder of the memory can not be used.
    JournalError
        The journal is damaged or locked.
    """

    session: Session

    def __init__(
        self, settings: Settings, run: Run, prior: Prior, now: Callable[[], datetime]
    ) -> None:
        self.run = run
        self.settings = settings
        self.now = now
        self.store: MemoryFolder | None = None
        """Where it writes; None where nothing is written."""
        self.writer: JournalWriter | None = None
        self._closed = False
        sizing = settings.sizing
        self.recall = Recall(sizing.levels, sizing.half_life_days)
        self.origin = Origin(
            user_id=settings.user_id,
            strategy=run.strategy,
            mode=_MODE_OF_KIND[run.kind],
            run_id=run.run_id,
        )
        self.damping = (
            None
            if sizing.policy == "off"
            else Damping.from_settings(settings.risk, sizing.min_multiplier)
        )
        self._parts: Parts = {
            "origin": self.origin,
            "recall": self.recall,
            "policy": guarded_policy(sizing),
            "applied": not sizing.shadow and (run.kind is not RunKind.LIVE or sizing.live),
            "submit": self.submit,
            "categories": settings.categories,
            "now": now,
            "prior": prior,
            "prior_of_differences": Shrinkage(pseudo_trades=sizing.pseudo_trades),
            "damping": self.damping,
            "veto_below": sizing.veto_below,
        }

    def summary(self) -> str:
        """Return in one line that memory is on, where, and what it does to stakes."""
        sizing = self.settings.sizing
        stakes = (
            f"stakes are scaled by x{sizing.min_multiplier:g} to x{sizing.max_multiplier:g}"
            if self.session.applied and sizing.policy != "off"
            else "stakes stay as proposed"
        )
        where = "" if self.store is None else f" in {self.store.folder}"
        return (
            f"Memory is on{where}: {len(self.recall)} trades of {self.run.strategy} known, "
            f"policy {sizing.policy}, {stakes}."
        )

    def entry_confirmed(self, pair: str, side: str) -> bool:
        """Keep the decision of an entry the strategy lets through; return whether memory does, too.

        Parameters
        ----------
        pair, side
            Which entry.
        """
        answer = self.session.entry_confirmed(pair, side)
        return answer is None or not answer.is_vetoed

    def submit(self, entry: Submitted) -> None:
        """Hand an entry to the journal, where anything is written."""
        if self.writer is not None:
            self.writer.submit(entry)

    @property
    def is_recorded(self) -> bool:
        """Whether the journal has all that was noted so far."""
        return self.writer is not None and self.writer.waiting == 0

    def close(self) -> None:
        """Take everything down. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as closing:  # whatever one of them raises, the others are closed
            self._close_parts(closing)

    @abstractmethod
    def _close_parts(self, closing: ExitStack) -> None:
        """Say what is to be closed; what is said last is closed first."""


class BacktestRuntime(Runtime):
    """Works for a backtest, a hyperopt epoch or an analysis; see `Runtime`."""

    session: BacktestSession

    def __init__(
        self, settings: Settings, run: Run, prior: Prior, now: Callable[[], datetime]
    ) -> None:
        super().__init__(settings, run, prior, now)
        self.session = BacktestSession(
            trades=BacktestTrades(),
            locks=BacktestLocks(),
            is_recorded=run.kind.writes,
            **self._parts,
        )
        if run.kind.writes:
            self.store = MemoryFolder(settings, run.user_data_dir)
            self.store.journal.open()  # so that a wrong path stops the run right here
            # What a process beside the run is to deliver meanwhile can not wait for its end.
            is_delivered = self.store.delivers and settings.delivery.flush_timeout_s > 0
            batch = _BATCH_BESIDE if is_delivered else _BATCH
            self.writer = JournalWriter(self.store.journal, background=False, batch=batch)

    def end_backtest(self) -> None:
        """Record what the backtest closed last. Called again, it does nothing more."""
        self.session.end_run()
        if self.writer is not None and not self.writer.flush(CLOSE_TIMEOUT_S):
            logger.error("Some trades of this run could not be written to the journal.")

    def _close_parts(self, closing: ExitStack) -> None:
        if self.store is not None:
            closing.callback(self.store.close)
        if self.writer is not None:
            closing.callback(self.writer.close, CLOSE_TIMEOUT_S)
        self.end_backtest()
