"""The composition root: builds everything a run needs from the config, and takes it down again."""

from __future__ import annotations

import logging
import math
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.advice import guarded_policy
from freqtrade_mem0.alerts import Alerts
from freqtrade_mem0.chores import Chores
from freqtrade_mem0.host import BacktestLocks, BacktestTrades, RunKind
from freqtrade_mem0.insight import Shrinkage
from freqtrade_mem0.journal.journal import Scope
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.notices import Notices
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.from_trade import EntryContext
from freqtrade_mem0.risk.damping import Damping
from freqtrade_mem0.risk_history import RiskHistory
from freqtrade_mem0.session import Session
from freqtrade_mem0.store import Store
from freqtrade_mem0.sync import MemorySync
from freqtrade_mem0.trouble import report_trouble
from freqtrade_mem0.vetoes import is_vetoed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.delivery import Delivery
    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.priors import Prior
    from freqtrade_mem0.run import Run

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S = 5.0
"""Longest a bot's shutdown waits for its last journal entries and for the batch under way."""

_TRY_AGAIN_S = 5.0
"""Pause between two looks as long as none could compare the trade database as a whole."""

_ORDERS_LAST = timedelta(days=30)
"""No entry order is expected to be filled later than this after its decision."""

_MODE_OF_KIND = {
    RunKind.BACKTEST: Mode.BACKTEST,
    RunKind.HYPEROPT: Mode.BACKTEST,
    RunKind.ANALYSIS: Mode.BACKTEST,
    RunKind.DRY_RUN: Mode.DRY_RUN,
    RunKind.LIVE: Mode.LIVE,
}


class Runtime:
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
    send
        Hands a text to the owner through Freqtrade's channels.

    Raises
    ------
    ConfigError
        The folder of the memory can not be used.
    JournalError
        The journal is damaged or locked.
    """

    def __init__(
        self,
        settings: Settings,
        run: Run,
        prior: Prior,
        now: Callable[[], datetime],
        send: Callable[[str], None],
    ) -> None:
        self.run = run
        self.settings = settings
        self._store: Store | None = None
        self._writer: JournalWriter | None = None
        self._delivery: Delivery | None = None
        self._closed = False
        self._n_closed = 0
        self._now = now
        self._alerts = Alerts(send, settings.alerts.interval_s, time.monotonic)
        self._notices = Notices(settings.alerts)
        self._last_sync_s = -math.inf
        sizing = settings.sizing
        self.recall = Recall(sizing.levels, sizing.half_life_days)
        origin = Origin(
            user_id=settings.user_id,
            strategy=run.strategy,
            mode=_MODE_OF_KIND[run.kind],
            run_id=run.run_id,
        )
        store = Store(settings, run.user_data_dir) if run.kind.writes else None
        own = OwnRecords(store.journal, origin) if store is not None and run.kind.is_bot else None
        damping = (
            None
            if sizing.policy == "off"
            else Damping.from_settings(settings.risk, sizing.min_multiplier)
        )
        self.session = Session(
            origin=origin,
            recall=self.recall,
            policy=guarded_policy(sizing),
            applied=not sizing.shadow and (run.kind is not RunKind.LIVE or sizing.live),
            submit=self._submit,
            categories=settings.categories,
            now=now,
            backtest_trades=None if run.kind.is_bot else BacktestTrades(),
            prior=prior,
            prior_of_differences=Shrinkage(pseudo_trades=sizing.pseudo_trades),
            database=run.database,
            damping=damping,
            veto_below=sizing.veto_below,
            backtest_locks=None if run.kind.is_bot else BacktestLocks(),
            tell=self._notices.of_risk if run.kind.is_bot else None,
            archive=own,
        )
        self._chores: Chores | None = None
        self._sync: MemorySync | None = None
        if store is not None and own is not None:
            self._open_for_bot(
                store, own, timedelta(0) if damping is None else damping.lasts_at_most
            )
        elif store is not None:
            store.journal.open()  # so that a wrong path stops the run right here
            self._store = store
            self._writer = JournalWriter(store.journal, background=False)

    @property
    def has_compared(self) -> bool:
        """Whether a bot's trade database has been compared as a whole."""
        return self._chores is not None and self._chores.has_compared

    def summary(self) -> str:
        """Return in one line that memory is on, where, and what it does to stakes."""
        sizing = self.settings.sizing
        stakes = (
            f"stakes are scaled by x{sizing.min_multiplier:g} to x{sizing.max_multiplier:g}"
            if self.session.applied and sizing.policy != "off"
            else "stakes stay as proposed"
        )
        where = "" if self._store is None else f" in {self._store.folder}"
        return (
            f"Memory is on{where}: {len(self.recall)} trades of {self.run.strategy} known, "
            f"policy {sizing.policy}, {stakes}."
        )

    def tick(self, moment: datetime) -> None:
        """Once per bot loop: watch risk, tell the owner; every `sync_interval`, ask for chores.

        It reads no disk, but where Freqtrade's database is in memory.

        Parameters
        ----------
        moment
            Aware UTC time of the loop.
        """
        if self._chores is None:
            return
        n_closed = self.session.n_closed
        pause_s = float(self.settings.sync_interval)
        if not self._chores.has_compared:
            pause_s = min(pause_s, _TRY_AGAIN_S)
        is_due = time.monotonic() - self._last_sync_s >= pause_s
        if is_due:
            self._last_sync_s = time.monotonic()
        if is_due or n_closed != self._n_closed:  # a protection may have locked something
            self._n_closed = n_closed
            self._chores.ask(moment, for_all=is_due)
        self.session.watch_risk(moment)
        self._notices.tell(self._alerts)
        outbox = self._chores.take_outbox_state()
        if outbox is not None and self.settings.alerts.memory:
            report_trouble(self._alerts, outbox, self._writer, self._delivery, self._sync)

    def end_backtest(self) -> None:
        """Record what the backtest closed last. Called again, it does nothing more."""
        self.session.end_run()
        if self._writer is not None and not self._writer.flush(CLOSE_TIMEOUT_S):
            logger.error("Some trades of this run could not be written to the journal.")

    def close(self) -> None:
        """Take everything down; a bot's journal entries are written. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as closing:  # whatever one of them raises, the others are closed
            if self._store is not None:
                closing.callback(self._close_store, self._store)
            if self._writer is not None:
                closing.callback(self._writer.close, CLOSE_TIMEOUT_S)
            if self._chores is not None:
                closing.callback(self._chores.stop, CLOSE_TIMEOUT_S)
            if not self.run.kind.is_bot:
                self.end_backtest()

    def entry_confirmed(self, pair: str, side: str) -> bool:
        """Keep the decision of an entry the strategy lets through; return whether memory does, too.

        Parameters
        ----------
        pair, side
            Which entry.
        """
        decision = self.session.entry_confirmed(pair, side)
        if decision is None:
            return True
        if self.run.kind.is_bot:
            self._notices.of_decision(decision)
        return not is_vetoed(decision)

    def _submit(self, entry: Entry) -> None:
        if self._writer is not None:
            self._writer.submit(entry)
            if self._delivery is not None:
                self._delivery.wake()

    def _open_for_bot(self, store: Store, own: OwnRecords, events_last: timedelta) -> None:
        history = RiskHistory(own, store.marks, self.session.origin)
        self._load_history(store, own, history, events_last)
        chores = Chores(self.session, store, own, history, self.run.database)
        chores.follower.run()
        self._store = store
        self._writer = JournalWriter(store.journal, background=True)
        if store.delivers:
            self._delivery = store.delivery()
            self._sync = MemorySync(store, after_first=self._delivery.start)
            self._sync.start()
        chores.begin(self._writer, self._delivery)
        self._chores = chores

    def _close_store(self, store: Store) -> None:
        workers = [worker for worker in (self._sync, self._delivery) if worker is not None]
        ended = [worker.stop(CLOSE_TIMEOUT_S) for worker in workers]
        if not all(ended):
            logger.warning(
                "Mem0 does not answer; it is left behind. Nothing in the journal is lost."
            )
        store.close(leave_backend=not all(ended))

    def _load_history(
        self, store: Store, own: OwnRecords, history: RiskHistory, events_last: timedelta
    ) -> None:
        """Take up what earlier processes of this bot left: decisions, entries, newest trades."""
        origin, now = self.session.origin, self._now()
        checkpoint, newest = history.start()
        since = now - events_last
        if checkpoint.last is not None:
            since = min(since, checkpoint.last[0])
        elif newest:
            since = min(since, newest[0].known_at)
        scope = Scope(
            user_id=origin.user_id,
            strategy=origin.strategy,
            modes=[origin.mode],
            run_id=origin.run_id,
        )
        placed, opened = [], {}
        for decision in store.journal.loose_decisions(scope, now - _ORDERS_LAST):
            if decision.trade_id is None:
                placed.append(decision)
            else:
                opened[decision.trade_id] = EntryContext(
                    decision_id=decision.id, situation=decision.situation
                )
        self.session.remember_earlier(
            placed=placed,
            opened=opened,
            recorded=newest,
            events=own.events(since),
            checkpoint=checkpoint,
        )
