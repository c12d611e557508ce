"""The runtime of a dry-run or live bot: its session, delivery, sync, chores and alerts."""

from __future__ import annotations

import logging
import math
import time
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.core_memory.rules import acting_rules
from freqtrade_mem0.decide.account_snapshot import AccountSnapshot
from freqtrade_mem0.delivery.pull import MemorySync
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.forgotten import forgotten_until
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.recall.priors import waiting
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.from_trade import EntryContext
from freqtrade_mem0.risk.damping import NO_DAMPING
from freqtrade_mem0.run.bot.alerts.pending import PendingAlerts
from freqtrade_mem0.run.bot.alerts.throttle import Alerts, dated
from freqtrade_mem0.run.bot.alerts.trouble import report_trouble
from freqtrade_mem0.run.bot.chart_notes import chart_marks
from freqtrade_mem0.run.bot.chores import Chores
from freqtrade_mem0.run.bot.entries.missed import Entry
from freqtrade_mem0.run.bot.entries.orders import Wanted
from freqtrade_mem0.run.bot.failures import FailureNotes
from freqtrade_mem0.run.bot.risk_history import RiskHistory
from freqtrade_mem0.run.bot.session import BotSession
from freqtrade_mem0.run.bot.trade_notes import TradeNotes
from freqtrade_mem0.run.runtime import CLOSE_TIMEOUT_S, Runtime
from freqtrade_mem0.run.setup import learned_rules
from freqtrade_mem0.webhooks.sender import worker_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack
    from datetime import datetime

    from freqtrade_mem0.delivery.push import Delivery
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.recall.priors import Prior
    from freqtrade_mem0.records.kinds.opportunity import Why
    from freqtrade_mem0.run.description import RunDescription

logger = logging.getLogger(__name__)

_TRY_AGAIN_S = 5.0
"""Pause between two reconciliations until the first one has compared everything."""

_ORDERS_LAST = timedelta(days=30)
"""Entry orders are expected to be filled within this time after their decision."""


class BotRuntime(Runtime):
    """The runtime of a bot; `send` sends a text to its owner through Freqtrade's channels."""

    session: BotSession

    def __init__(
        self,
        run: RunDescription,
        prior: Prior,
        store: MemoryFolder,
        now: Callable[[], datetime],
        send: Callable[[str], None],
    ) -> None:
        super().__init__(run, prior, store, now)
        settings = run.settings
        self._delivery: Delivery | None = None
        self._sync: MemorySync | None = None
        self._n_closed = 0
        self._n_alerts = 0
        self._began_at: datetime | None = None
        """The beginning of a bot loop, for which nothing has been made ready."""
        origin = run.origin
        self._webhooks = worker_of(store)
        store.journal.open()  # a folder that can not be written to stops the bot here
        alerts_mark = f"alerts {origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
        acting = acting_rules(store.journal, origin, now())
        self.setup = replace(self.setup, rules=learned_rules(settings, acting))
        self._alerts = Alerts(
            send,
            settings.alerts.interval_s,
            lambda: now().timestamp(),
            store.marks.get(alerts_mark),
        )
        self._pending_alerts = PendingAlerts(settings.alerts, since=now())
        self._last_sync_s = -math.inf
        own = self._own = OwnRecords(store.journal, origin)
        notes = self._notes = TradeNotes()
        self.session = BotSession(
            self.setup,
            submit=self.submit,
            now=now,
            tell=self._pending_alerts.add_risk_event,
            archive=own,
            timeframe_s=run.timeframe_s,
            **({"linked": notes.add} if settings.frequi.custom_data else {}),
        )
        self.session.forgotten_until = forgotten_until(store.journal.connection, origin)
        history = RiskHistory(own, store.marks, origin)
        try:
            self._load_history(own, history)
        except (ConfigError, JournalError):
            raise
        except Exception:
            logger.exception("The bot starts without its risk history, and counts anew.")
        self.failures = FailureNotes(run, store, self.submit)
        self._chores = Chores(
            self.session,
            store,
            own,
            history,
            has_thread=run.database_lasts,
            tell=self._tell_of_memory,
            look_at_orders=self.failures.look,
            write_notes=partial(notes.write, own_thread=run.database_lasts),
            tell_of_drift=self._pending_alerts.add_risk_event_of_any_age,
            tell_daily=partial(self._pending_alerts.add, "daily"),
        )
        self._chores.keep_mark(alerts_mark, self._alerts.to_json)
        self._chores.follower.begin()
        try:
            self.session.prepare(now(), AccountSnapshot(store.folder, origin))
        except Exception:
            logger.exception("The first decision computes memory's account.")
        self._tell_what_waits()
        self.writer = JournalWriter(
            self.store.journal, background=True, appended=self._wake_delivery
        )
        if self.store.delivers:
            self._delivery = delivery_of(self.store)
            self._sync = MemorySync(self.store, after_first=self._delivery.start)
            self._sync.start()
        self._chores.begin(self.writer, self._delivery)
        if self._webhooks is not None:
            self._webhooks.start()

    @property
    def has_compared(self) -> bool:
        """Whether the whole trade database was compared once."""
        return self._chores.has_compared

    def tick(self, moment: datetime) -> None:
        """Check risk and send alerts, once per bot loop; request chores every `sync_interval`.

        It reads no disk, unless Freqtrade's database is in memory.
        """
        n_closed, self._began_at = self.session.n_closed, moment
        pause_s = float(self.run.settings.sync_interval)
        if not self._chores.has_compared and not self._chores.may_share_database:
            pause_s = min(pause_s, _TRY_AGAIN_S)
        is_due = time.monotonic() - self._last_sync_s >= pause_s
        if is_due:
            self._last_sync_s = time.monotonic()
        # A closed trade: a protection may have locked something.
        if is_due or n_closed != self._n_closed or self._notes:
            self._n_closed = n_closed
            self._chores.request(moment, all_chores=is_due)
        self.session.watch_risk(moment)
        self._pending_alerts.send(self._alerts)
        outbox = self._chores.take_outbox_state()
        if outbox is not None and self.run.settings.alerts.memory:
            report_trouble(self._alerts, outbox, self.writer, self._delivery, self._sync)
        if self._alerts.n_sent != self._n_alerts:
            self._n_alerts = self._alerts.n_sent
            self._chores.request(moment, all_chores=False)

    def make_ready(self) -> None:
        """Take in the trades known as the bot loop began, while no order waits; once per loop."""
        moment, self._began_at = self._began_at, None
        if moment is not None:
            self.session.prepare(moment)

    def entry_confirmed(self, pair: str, side: str) -> bool:
        """Record the decision of a confirmed entry, and alert where a stake was scaled far."""
        answer = self.session.entry_confirmed(pair, side)
        if answer is None:
            return True
        if not answer.is_repeated:
            self._pending_alerts.add_answer(answer)
        return not answer.is_vetoed

    def entry_answered(self, call: Mapping[str, Any], why: Why | None) -> None:
        """Note an entry that is not made, with its rate, or that its order is to be placed."""
        pair, side, rate = call["pair"], call["side"], float(call["rate"])
        moment = as_utc(call["current_time"])
        if why is None:
            self.failures.confirmed(Wanted(pair, side, is_entry=True), rate, moment)
        else:
            tag = str(call.get("entry_tag") or "")
            self.failures.missed(why, Entry(pair, side, tag, rate), moment)

    def chart_notes(self, pair: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
        """Return the risk events in a chart as annotations. Reads the journal: no callback."""
        setup, candle = self.setup, timedelta(seconds=self.run.timeframe_s)
        damping = (setup.damping if setup.applied else None) or NO_DAMPING
        events = self._own.events(start - timedelta(days=damping.half_life_days))
        return chart_marks(events, pair, damping, start=start, end=end, candle=candle)

    def _wake_delivery(self) -> None:
        if self._delivery is not None:
            self._delivery.wake()

    def _tell_what_waits(self) -> None:
        found = waiting(self.store.journal, self.run.origin.user_id, self.run.origin.strategy)
        if found:
            logger.warning(
                "%d runs were promoted to priors of %s on another machine. They have no effect "
                "here until you accept them: 'freqtrade-mem0 priors' lists them.",
                len(found),
                self.run.origin.strategy,
            )

    def _close_parts(self, closing: ExitStack) -> None:
        closing.callback(self._close_store)
        if self.writer is not None:
            closing.callback(self.writer.close, CLOSE_TIMEOUT_S)
        closing.callback(self._chores.stop, CLOSE_TIMEOUT_S)
        if self._webhooks is not None:
            closing.callback(self._webhooks.stop, CLOSE_TIMEOUT_S)

    def _close_store(self) -> None:
        workers = [worker for worker in (self._sync, self._delivery) if worker is not None]
        ended = [worker.stop(CLOSE_TIMEOUT_S) for worker in workers]
        if not all(ended):
            logger.warning(
                "Mem0 does not answer; it is not closed. Nothing in the journal is lost."
            )
        self.store.close(leave_backend=not all(ended))

    def _tell_of_memory(self, kind: str, text: str) -> None:
        if self.run.settings.alerts.memory:
            self._pending_alerts.add(kind, dated(text, self.now()))

    def _load_history(self, own: OwnRecords, history: RiskHistory) -> None:
        """Load what earlier processes of this bot recorded: decisions, entries, newest trades."""
        origin, now, damping = self.run.origin, self.now(), self.setup.damping
        checkpoint, newest = history.start()
        since = now - (damping or NO_DAMPING).is_open_for
        if checkpoint.last is not None:
            since = min(since, checkpoint.last[0])
        elif newest:
            since = min(since, newest[0].known_at)
        scope = Scope().in_run(origin)
        placed, opened = [], {}
        for decision in self.store.journal.loose_decisions(scope, now - _ORDERS_LAST):
            if decision.trade_id is None:
                placed.append(decision)
            else:
                opened[decision.trade_id] = EntryContext(
                    decision_id=decision.id, situation=decision.situation
                )
        self.session.remember_earlier(
            placed=placed,
            opened=opened,
            recorded=own.whole(newest),
            events=own.events(since),
            checkpoint=checkpoint,
        )
