"""What a bot's memory does now and then: reconcile, learn from others, look at locks and troubles.

All of it reads disks. In a bot a thread does it; where Freqtrade's database is in memory, and so
has one connection for all, its own loop has to.
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
from freqtrade_mem0.run.bot.background import Background
from freqtrade_mem0.run.bot.reconcile.reconciler import Reconciler

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.delivery.push import Delivery
    from freqtrade_mem0.journal.outbox import OutboxState
    from freqtrade_mem0.journal.own_records import OwnRecords
    from freqtrade_mem0.journal.writer import JournalWriter
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.run.bot.risk_history import RiskHistory
    from freqtrade_mem0.run.bot.session import BotSession

logger = logging.getLogger(__name__)

_SETTLE_S = 2.0
"""How long a look waits for the journal to take what was handed over."""


class Chores:
    """Does what is asked for by the next look, off Freqtrade's loop.

    Parameters
    ----------
    session
        Of the bot that this process is.
    store
        Its memory.
    own
        What the journal has of the bot.
    history
        Keeps what its detectors of risk know.
    database
        Identity of its trade database; "" for one in memory.
    """

    def __init__(
        self,
        session: BotSession,
        store: MemoryFolder,
        own: OwnRecords,
        history: RiskHistory,
        database: str,
    ) -> None:
        self._session = session
        self._store = store
        self._own = own
        self._history = history
        discount = store.settings.sizing.prior_discount
        snapshots = Snapshots(store.journal, session.recall, session.origin, discount)
        self.follower = JournalFollower(
            store.journal, session.recall, session.origin, discount, snapshots
        )
        self._background = Background(self._work) if database else None
        self._reconciler = Reconciler(
            session,
            own,
            store.marks,
            database=database,
            # What is not in the journal can not be gone on from.
            resumes=bool(database) and store.settings.categories.strategy_performance,
            settled=self._is_settled,
            breathe=self._breathe,
            release=trade_database.release if database else lambda: None,
        )
        self._writer: JournalWriter | None = None
        self._delivery: Delivery | None = None
        self._lock = threading.Lock()
        self._asked: tuple[datetime, bool] | None = None
        self._n_replaced = 0
        self._n_dropped = 0
        self._mark: tuple[str, Callable[[], dict[str, Any]]] | None = None
        self._marked: dict[str, Any] = {}
        self._complained: set[tuple[str, str]] = set()
        self._outbox: OutboxState | None = None

    def begin(self, writer: JournalWriter, delivery: Delivery | None) -> None:
        """Take what writes and delivers, once it is there."""
        self._writer, self._delivery = writer, delivery

    def keep_mark(self, name: str, value: Callable[[], dict[str, Any]]) -> None:
        """Write a mark with each look, and at the end, where its value has changed."""
        self._mark, self._marked = (name, value), value()

    @property
    def has_compared(self) -> bool:
        """Whether the trade database was compared as a whole."""
        return self._reconciler.has_run

    def ask(self, moment: datetime, *, for_all: bool) -> None:
        """Have the chores done as of a moment; waits for none where a thread does them.

        Parameters
        ----------
        moment
            Aware UTC time of the loop.
        for_all
            False for a look at Freqtrade's locks alone.
        """
        with self._lock:
            self._asked = (moment, for_all or (self._asked is not None and self._asked[1]))
        if self._background is None:
            self._work()
        else:
            self._background.ask()

    def take_outbox_state(self) -> OutboxState | None:
        """Return how far delivery is, once for each look; None where none was done since."""
        with self._lock:
            state, self._outbox = self._outbox, None
        return state

    def stop(self, timeout_s: float) -> bool:
        """Do no more, waiting at most `timeout_s`; False when a chore goes on.

        What the next start begins from is left behind, if there is still time for it.
        """
        deadline_s = time.monotonic() + timeout_s
        if self._background is not None and not self._background.stop(timeout_s):
            return False
        self._do("keeping the times of alerts", self._write_mark)
        self.follower.close(max(0.0, deadline_s - time.monotonic()))
        return True

    def _work(self) -> None:
        with self._lock:
            asked, self._asked = self._asked, None
        if asked is None:
            return
        moment, for_all = asked
        self._do("a look at the locks by protections", lambda: self._look_at_locks(moment))
        self._do("keeping the times of alerts", self._write_mark)
        if for_all:
            self._do("reconciliation", lambda: self._reconcile(moment))
            self._do("a look at the journal", self._read_journal)
            self._do("a look at the outbox", self._look_at_outbox)

    def _look_at_locks(self, moment: datetime) -> None:
        try:
            locks = trade_database.active_bot_locks(moment)
        finally:
            if self._background is not None:
                trade_database.release()
        self._session.on_risk(lambda risk: risk.locked(locks))

    def _reconcile(self, moment: datetime) -> None:
        self._store.journal.open()  # looks whether it is still the same file
        if self._store.journal.connection.n_replaced != self._n_replaced:
            self._start_over()
        if self._writer is not None and self._writer.dropped != self._n_dropped:
            self._n_dropped = self._writer.dropped
            self._reconciler.start_over()
        self._reconciler.run(moment)

    def _read_journal(self) -> None:
        """Learn what the journal gained from others, and from Mem0."""
        after_seq = self._own.last_seq()
        news = self.follower.run()
        self._session.heard(news.own)
        if news.prior_changed:
            sizing, origin = self._store.settings.sizing, self._session.origin
            prior = load_prior(
                self._store.journal, origin.user_id, origin.strategy, sizing.prior_discount
            )
            since = min((record.open_date for record in prior.trades), default=None)
            self._session.replace_prior(prior, self._own.trades(since) if since else ())
        if self._is_settled() and self._history.mend(self._session, self._breathe):
            self._history.save(self._session, after_seq)

    def _write_mark(self) -> None:
        if self._mark is not None:
            name, value = self._mark[0], self._mark[1]()
            if value != self._marked:
                self._store.marks.set(name, value)
                self._marked = value

    def _look_at_outbox(self) -> None:
        if self._delivery is not None:
            self._delivery.wake()
        state = self._store.outbox.state()
        with self._lock:
            self._outbox = state

    def _start_over(self) -> None:
        """Write again what this bot keeps, as the memory's folder was taken away."""
        self._store.close()
        self._n_replaced = self._store.journal.connection.n_replaced
        self.follower.start_over()
        self._history.forget()
        self._reconciler.start_over()
        n_again = self._session.submit_again()
        logger.warning(
            "The memory in %s was deleted or replaced while this bot runs. Its newest %d trades "
            "are written again as they were; older ones come back from Freqtrade's database now, "
            "without their situations, and from Mem0, with them, where it has them. What else was "
            "there is gone. Stop a bot before you touch its memory.",
            self._store.folder,
            n_again,
        )

    def _is_settled(self) -> bool:
        # Freqtrade's own loop waits for nothing.
        timeout_s = 0.0 if self._background is None else _SETTLE_S
        return self._writer is not None and self._writer.flush(timeout_s)

    def _breathe(self) -> bool:
        return self._background is None or self._background.breathe()

    def _do(self, what: str, chore: Callable[[], None]) -> None:
        """Do a chore; one that fails is tried again at the next look and holds no other up."""
        try:
            chore()
        except Exception as error:
            kind = (what, type(error).__name__)
            if kind in self._complained:
                return
            self._complained.add(kind)
            known = isinstance(error, Mem0Error)
            logger.warning(
                "Memory failed in %s: %s It is tried again; further failures of this kind are not "
                "logged.",
                what,
                f"{error}" if known else f"{type(error).__name__}: {error}.",
                exc_info=None if known else error,
            )
