"""The composition root: builds everything a run needs from the config, and takes it down again."""

from __future__ import annotations

import logging
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0 import host
from freqtrade_mem0.advice import guarded_policy
from freqtrade_mem0.alerts import Alerts
from freqtrade_mem0.follow import JournalFollower
from freqtrade_mem0.host import BacktestLocks, BacktestTrades, RunKind
from freqtrade_mem0.insight import Shrinkage
from freqtrade_mem0.journal.journal import Scope
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.notices import Notices
from freqtrade_mem0.priors import load_prior
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.reconcile import Reconciler
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.from_trade import EntryContext
from freqtrade_mem0.records.risk import RiskEvent
from freqtrade_mem0.records.trade import TradeRecord
from freqtrade_mem0.risk.damping import Damping
from freqtrade_mem0.session import Session
from freqtrade_mem0.snapshots import Snapshots
from freqtrade_mem0.store import Store
from freqtrade_mem0.sync import MemorySync
from freqtrade_mem0.trouble import report_trouble

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
        self._n_replaced = 0
        self._locks_failed = False
        self._now = now
        self._alerts = Alerts(send, settings.alerts.interval_s, time.monotonic)
        self._notices = Notices(settings.alerts)
        self._last_sync_s = time.monotonic()
        sizing = settings.sizing
        self.recall = Recall(sizing.levels, sizing.half_life_days)
        self.session = Session(
            origin=Origin(
                user_id=settings.user_id,
                strategy=run.strategy,
                mode=_MODE_OF_KIND[run.kind],
                run_id=run.run_id,
            ),
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
            damping=(
                None
                if sizing.policy == "off"
                else Damping.from_settings(settings.risk, sizing.min_multiplier)
            ),
            veto_below=sizing.veto_below,
            backtest_locks=None if run.kind.is_bot else BacktestLocks(),
            tell=self._notices.of_risk if run.kind.is_bot else None,
        )
        self._reconciler = Reconciler(self.session)
        self._follower: JournalFollower | None = None
        self._sync: MemorySync | None = None
        if run.kind.writes:
            self._open_store()

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
        """Once per bot loop: watch risk; every `sync_interval`, reconcile and learn from others.

        Parameters
        ----------
        moment
            Aware UTC time of the loop.
        """
        if not self.run.kind.is_bot or self._store is None:
            return
        self._watch_risk(moment)
        elapsed_s = time.monotonic() - self._last_sync_s
        if self._reconciler.has_run and elapsed_s < self.settings.sync_interval:
            return
        self._last_sync_s = time.monotonic()
        self._store.journal.open()  # looks whether it is still the same file
        if self._store.journal.connection.n_replaced != self._n_replaced:
            self._start_over(self._store)
        self._reconciler.run(moment)
        self._follow(self._store)
        if self._delivery is not None:
            self._delivery.wake()
        if self.settings.alerts.memory:
            report_trouble(self._alerts, self._store, self._writer, self._delivery, self._sync)

    def end_backtest(self) -> None:
        """Record what the backtest closed last. Called again, it does nothing more."""
        self.session.end_run()
        if self._writer is not None and not self._writer.flush(CLOSE_TIMEOUT_S):
            logger.error("Some trades of this run could not be written to the journal.")

    @property
    def is_recorded(self) -> bool:
        """Whether the journal has all that was noted so far."""
        return self._writer is not None and self._writer.waiting == 0

    def close(self) -> None:
        """Take everything down; a bot's journal entries are written. Closing twice is harmless."""
        if self._closed:
            return
        self._closed = True
        with ExitStack() as closing:  # whatever one of them raises, the others are closed
            if self._store is not None:
                closing.callback(self._close_store, self._store)
            if self._follower is not None:
                closing.callback(self._follower.close, CLOSE_TIMEOUT_S)
            if self._writer is not None:
                closing.callback(self._writer.close, CLOSE_TIMEOUT_S)
            if not self.run.kind.is_bot:
                self.end_backtest()

    def entry_confirmed(self, pair: str, side: str) -> bool:
        """Keep the decision of an entry the strategy lets through; return whether memory does, too.

        Parameters
        ----------
        pair, side
            Which entry.
        """
        answer = self.session.entry_confirmed(pair, side)
        if answer is None:
            return True
        if self.run.kind.is_bot:
            self._notices.of_answer(answer)
        return not answer.is_vetoed

    def _watch_risk(self, moment: datetime) -> None:
        try:
            locks = host.active_bot_locks(moment)
        except Exception as error:  # noqa: BLE001 - whatever Freqtrade's database suffers from
            if not self._locks_failed:
                logger.warning("Locks by protections could not be read: %s", error)
            self._locks_failed, locks = True, []
        self.session.watch_risk(moment, locks)
        self._notices.tell(self._alerts)

    def _submit(self, entry: Entry | Callable[[], Entry]) -> None:
        if self._writer is not None:
            self._writer.submit(entry)
            if self._delivery is not None:
                self._delivery.wake()

    def _open_store(self) -> None:
        store = Store(self.settings, self.run.user_data_dir)
        is_bot = self.run.kind.is_bot
        if is_bot:
            self._load_history(store)
            discount = self.settings.sizing.prior_discount
            origin = self.session.origin
            snapshots = Snapshots(store.journal, self.recall, origin, discount)
            self._follower = JournalFollower(
                store.journal, self.recall, origin, discount, snapshots
            )
            self._follower.begin()
        else:
            store.journal.open()  # so that a wrong path stops the run right here
        self._store = store
        self._writer = JournalWriter(store.journal, background=is_bot)
        if store.delivers and is_bot:
            self._delivery = store.delivery()
            self._sync = MemorySync(store, after_first=self._delivery.start)
            self._sync.start()

    def _follow(self, store: Store) -> None:
        """Learn what the journal gained from others, and from Mem0."""
        if self._follower is None:
            return
        news = self._follower.run()
        self.session.heard(news.own)
        if news.prior_changed:
            sizing, origin = self.settings.sizing, self.session.origin
            prior = load_prior(
                store.journal, origin.user_id, origin.strategy, sizing.prior_discount
            )
            self.session.replace_prior(prior)

    def _close_store(self, store: Store) -> None:
        workers = [worker for worker in (self._sync, self._delivery) if worker is not None]
        ended = [worker.stop(CLOSE_TIMEOUT_S) for worker in workers]
        if not all(ended):
            logger.warning(
                "Mem0 does not answer; it is left behind. Nothing in the journal is lost."
            )
        store.close(leave_backend=not all(ended))

    def _start_over(self, store: Store) -> None:
        """Write again all that this bot remembers, as the memory's folder was taken away."""
        logger.warning(
            "The memory in %s was deleted or replaced while this bot runs. Its own trades are "
            "written again; what else was there is gone. Stop a bot before you touch its memory.",
            store.folder,
        )
        store.close()
        self._n_replaced = store.journal.connection.n_replaced
        if self._follower is not None:
            self._follower.start_over()
        self.session.submit_again()

    def _load_history(self, store: Store) -> None:
        """Take up what earlier processes of this bot left: decisions, entries, known trades."""
        origin = self.session.origin
        scope = Scope(user_id=origin.user_id, modes=[origin.mode], run_id=origin.run_id)
        records = [record for _, record in store.journal.records(scope)]
        recorded = [record for record in records if isinstance(record, TradeRecord)]
        events = [record for record in records if isinstance(record, RiskEvent)]
        placed, opened = [], {}
        for decision in store.journal.loose_decisions(scope, self._now() - _ORDERS_LAST):
            if decision.trade_id is None:
                placed.append(decision)
            else:
                opened[decision.trade_id] = EntryContext(
                    decision_id=decision.id, situation=decision.situation
                )
        seen = store.journal.seen_in(self.run.database)
        self.session.remember_earlier(
            placed=placed, opened=opened, recorded=recorded, seen=seen, events=events
        )
