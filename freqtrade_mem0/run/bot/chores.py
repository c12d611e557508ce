"""The regular chores of a bot's memory: locks, reconciliation, news from others, state of delivery.

They read disks, so a thread does them. Only where Freqtrade's database is in memory, with one
connection for all threads, Freqtrade's own loop does them.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.host import trade_database
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.recall.priors import load_prior
from freqtrade_mem0.recall.snapshot import Snapshots
from freqtrade_mem0.run.bot.agents import AgentUpkeep
from freqtrade_mem0.run.bot.background import Background
from freqtrade_mem0.run.bot.daily import DailyReport
from freqtrade_mem0.run.bot.drift import DriftWatch
from freqtrade_mem0.run.bot.namesakes import Namesakes
from freqtrade_mem0.run.bot.patterns import PatternWatch
from freqtrade_mem0.run.bot.reconcile.reconciler import Reconciler

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.delivery.push import Delivery
    from freqtrade_mem0.journal.outbox import OutboxState
    from freqtrade_mem0.journal.own_records import OwnRecords
    from freqtrade_mem0.journal.writer import JournalWriter
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.run.bot.risk_history import RiskHistory
    from freqtrade_mem0.run.bot.session import BotSession

logger = logging.getLogger(__name__)

_FLUSH_S = 2.0
"""Longest wait until the journal has written what was submitted."""


class Chores:
    """Does the chores of one bot when they are requested."""

    def __init__(
        self,
        session: BotSession,
        store: MemoryFolder,
        own: OwnRecords,
        history: RiskHistory,
        *,
        has_thread: bool,
        tell: Callable[[str, str], None],
        look_at_orders: Callable[[datetime], None] = lambda _: None,
        tell_of_drift: Callable[[RiskEvent], None] = lambda _: None,
        write_notes: Callable[[], None] = lambda: None,
        tell_daily: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._session = session
        self._store = store
        self._own = own
        self._history = history
        discount = store.settings.sizing.prior_discount
        recall = session.recall
        snapshots = (
            None
            if recall.keeps_entries
            else Snapshots(store.journal, recall, session.origin, discount)
        )
        self.follower = JournalFollower(store.journal, recall, session.origin, discount, snapshots)
        self._background = Background(self._work) if has_thread else None
        self._tell = tell
        self._look_at_orders = look_at_orders
        self._write_notes = write_notes
        self._namesakes = Namesakes(
            store.marks, session.origin, float(store.settings.sync_interval)
        )
        self._reconciler = Reconciler(
            session,
            own,
            store.marks,
            lasts=has_thread,
            # Without trades in the journal there is nothing to resume from.
            resumes=has_thread and store.settings.categories.strategy_performance,
            flushed=self._is_flushed,
            pause=self._pause,
            release=trade_database.release if has_thread else lambda: None,
            may_retract=lambda: not self._namesakes.may_share_database,
        )
        self._patterns = PatternWatch(session, store, self._pause)
        self._agents = AgentUpkeep(session, store)
        self._drift = DriftWatch(session, store, tell_of_drift, self._pause)
        self._daily = DailyReport(store, session.origin, tell_daily)
        self._writer: JournalWriter | None = None
        self._delivery: Delivery | None = None
        self._lock = threading.Lock()
        self._requested: tuple[datetime, bool] | None = None
        self._n_replaced = 0
        self._n_dropped = 0
        self._mark: tuple[str, Callable[[], dict[str, Any]]] | None = None
        self._marked: dict[str, Any] = {}
        self._logged: set[tuple[str, str]] = set()
        self._outbox: OutboxState | None = None

    def begin(self, writer: JournalWriter, delivery: Delivery | None) -> None:
        """Set the writer and the delivery, which are made after this object."""
        self._writer, self._delivery = writer, delivery

    def keep_mark(self, name: str, value: Callable[[], dict[str, Any]]) -> None:
        """Write a mark with the chores and at the end, where its value has changed."""
        self._mark, self._marked = (name, value), value()

    @property
    def has_compared(self) -> bool:
        """Whether the whole trade database was compared once."""
        return self._reconciler.has_run

    @property
    def may_share_database(self) -> bool:
        """Whether another process may use the trade database, or a copy of it."""
        return self._namesakes.may_share_database

    def request(self, moment: datetime, *, all_chores: bool) -> None:
        """Request all chores, or only the check of Freqtrade's locks; a thread does them."""
        with self._lock:
            waits_for_all = self._requested is not None and self._requested[1]
            self._requested = (moment, all_chores or waits_for_all)
        if self._background is None:
            self._work()
        else:
            self._background.request()

    def take_outbox_state(self) -> OutboxState | None:
        """Return the newest state of delivery, once; None where it was not read since."""
        with self._lock:
            state, self._outbox = self._outbox, None
        return state

    def stop(self, timeout_s: float) -> bool:
        """Stop, and write a snapshot for the next start; wait at most `timeout_s`.

        Returns False where a chore still goes on.
        """
        deadline_s = time.monotonic() + timeout_s
        if self._background is not None and not self._background.stop(timeout_s):
            return False
        self._do("saving the times of alerts", self._write_mark)
        self._do("removing the sign of this bot", self._namesakes.leave)
        self.follower.close(max(0.0, deadline_s - time.monotonic()))
        return True

    def _work(self) -> None:
        with self._lock:
            requested, self._requested = self._requested, None
        if requested is None:
            return
        moment, all_chores = requested
        self._do("checking the locks of protections", lambda: self._check_locks(moment))
        self._do("saving the times of alerts", self._write_mark)
        self._do("noting multipliers in Freqtrade's database", self._write_notes)
        if all_chores:
            if self._background is not None:
                self._do("finding bots of its name", lambda: self._find_namesakes(moment))
            self._do("reconciliation", lambda: self._reconcile(moment))
            self._do("looking for failed orders", lambda: self._find_failures(moment))
            self._do("reading the journal", self._read_journal)
            self._do("looking after agents' memory", lambda: self._agents.run(moment))
            # What arrived late is taken in here, so that no callback computes it.
            self._do("computing memory's account", lambda: self._session.prepare(moment))
            if self._background is not None:
                self._do(
                    "looking for patterns", lambda: self._look_at_trades(self._patterns, moment)
                )
                self._do("looking for drift", lambda: self._look_at_trades(self._drift, moment))
                self._do("the daily report", lambda: self._look_at_trades(self._daily, moment))
            self._do("checking the outbox", self._check_outbox)

    def _check_locks(self, moment: datetime) -> None:
        try:
            locks = trade_database.active_bot_locks(moment)
        finally:
            if self._background is not None:
                trade_database.release()
        self._session.on_risk(lambda risk: risk.locked(locks))

    def _find_failures(self, moment: datetime) -> None:
        try:
            self._look_at_orders(moment)
        finally:
            if self._background is not None:
                trade_database.release()

    def _find_namesakes(self, moment: datetime) -> None:
        try:
            database = trade_database.database_identity()
        finally:
            trade_database.release()
        if database:
            for text in self._namesakes.look(database, moment.timestamp()):
                logger.warning("%s", text)
                self._tell("bots", text)

    def _reconcile(self, moment: datetime) -> None:
        self._store.journal.open()  # checks whether it is still the same file
        if self._store.journal.connection.n_replaced != self._n_replaced:
            self._start_over()
        if self._writer is not None and self._writer.dropped != self._n_dropped:
            self._n_dropped = self._writer.dropped
            self._reconciler.start_over()
        self._reconciler.run(moment)

    def _read_journal(self) -> None:
        """Learn the journal's new records of other bots and from Mem0."""
        after_seq = self._own.last_seq()
        self._session.learn_closed()  # what the journal says of these trades is newer
        news = self.follower.run()
        self._session.add_from_mem0(news.own)
        if news.prior_changed:
            sizing, origin = self._store.settings.sizing, self._session.origin
            prior = load_prior(
                self._store.journal, origin.user_id, origin.strategy, sizing.prior_discount
            )
            since = min((record.open_date for record in prior.trades), default=None)
            self._session.replace_prior(prior, self._own.trades(since) if since else ())
        if self._is_flushed() and self._history.replay_if_needed(self._session, self._pause):
            self._history.save(self._session, after_seq)

    def _look_at_trades(
        self, watch: PatternWatch | DriftWatch | DailyReport, moment: datetime
    ) -> None:
        if self._is_flushed():  # so the closed trades are in the journal
            watch.run(moment)

    def _write_mark(self) -> None:
        if self._mark is not None:
            name, value = self._mark[0], self._mark[1]()
            if value != self._marked:
                self._store.marks.set(name, value)
                self._marked = value

    def _check_outbox(self) -> None:
        if self._delivery is not None:
            self._delivery.wake()
        state = self._store.outbox.state()
        with self._lock:
            self._outbox = state

    def _start_over(self) -> None:
        """Write what this bot has in RAM again: the memory's folder was deleted or replaced."""
        self._store.close()
        self._n_replaced = self._store.journal.connection.n_replaced
        self.follower.start_over()
        self._history.forget()
        self._reconciler.start_over()
        n_again = self._session.submit_again()
        logger.warning(
            "The memory in %s was deleted or replaced while this bot runs. The bot's newest %d "
            "trades are written again. Older trades are restored from Freqtrade's database, "
            "without their situations, and from Mem0, with their situations, where it has them. "
            "Everything else that was there is lost. Stop a bot before you touch its memory.",
            self._store.folder,
            n_again,
        )

    def _is_flushed(self) -> bool:
        # Freqtrade's own loop must not wait.
        timeout_s = 0.0 if self._background is None else _FLUSH_S
        return self._writer is not None and self._writer.flush(timeout_s)

    def _pause(self) -> bool:
        return self._background is None or self._background.pause()

    def _do(self, what: str, chore: Callable[[], None]) -> None:
        """Do a chore; where it fails, the others are still done, and it is tried again later."""
        try:
            chore()
        except Exception as error:
            kind = (what, type(error).__name__)
            if kind in self._logged:
                return
            self._logged.add(kind)
            known = isinstance(error, Mem0Error)
            logger.warning(
                "Memory failed in %s: %s It is tried again; further failures of this kind are not "
                "logged.",
                what,
                f"{error}" if known else f"{type(error).__name__}: {error}.",
                exc_info=None if known else error,
            )
