"""Records a bot's failed orders, and its entries that were not made. No stake depends on them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.host.order_states import last_order, order_states
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.kinds.failure import Failure
from freqtrade_mem0.records.kinds.opportunity import Opportunity
from freqtrade_mem0.run.bot.entries.missed import Entry, MissedEntries
from freqtrade_mem0.run.bot.entries.orders import OrderWatch

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.kinds.opportunity import Why
    from freqtrade_mem0.run.bot.entries.orders import FailedOrder, Wanted
    from freqtrade_mem0.run.description import RunDescription

_BEFORE_START = 500
"""Rows of orders that are looked at when a bot starts for the first time, for those still open."""


class FailureNotes:
    """What came to nothing in one bot. Freqtrade's loop and the thread of chores share it.

    Parameters
    ----------
    run
        The bot's.
    store
        The memory, in which entries of an earlier process wait for their candles.
    submit
        Takes records; never blocks.
    """

    def __init__(
        self, run: RunDescription, store: MemoryFolder, submit: Callable[[Record], None]
    ) -> None:
        self._origin = run.origin
        self._categories = run.settings.categories
        self._journal, self._marks = store.journal, store.marks
        self._submit = submit
        self._lock = threading.Lock()
        self._watch = OrderWatch(run.unfilled_s)
        self._missed = MissedEntries(run.origin, self._keep, run.timeframe_s)
        self._saved: int | None = None
        origin = run.origin
        self._mark = f"orders {origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
        scope = Scope().in_run(origin)
        for missed in store.journal.of_kind(Opportunity, scope, limit=_BEFORE_START):
            self._missed.restore(missed)

    def missed(self, why: Why, entry: Entry, moment: datetime) -> None:
        """Note an entry that was refused or vetoed; called in a callback, reads nothing."""
        with self._lock:
            self._missed.add(why, entry, moment)

    def confirmed(self, wanted: Wanted, rate: float, moment: datetime) -> None:
        """Note that an order is about to be placed; called in a callback, reads nothing."""
        with self._lock:
            self._watch.confirmed(wanted, moment, rate)

    def resolve(self, moment: datetime, candles_of: Callable[[str], Any]) -> None:
        """Note what became of the price after entries that were not made; reads no disk."""
        with self._lock:
            self._missed.resolve(moment, candles_of)

    def look(self, moment: datetime) -> None:
        """Read Freqtrade's orders and note those that came to nothing; never in a callback."""
        last = last_order()
        is_first = self._saved is None
        if is_first:
            noted = self._marks.get(self._mark).get("after_row")
            if isinstance(noted, int) and noted <= last:
                self._watch.after_row, is_first = noted, False
            else:
                self._watch.after_row = max(0, last - _BEFORE_START)
        states = order_states(self._watch.after_row)
        if is_first:  # what was cancelled before memory was there is no news
            states = [state for state in states if state.is_open]
            self._watch.after_row = last
        with self._lock:
            for failed in self._watch.look(states, moment):
                self._note(failed, moment)
        if self._watch.after_row != self._saved:
            self._saved = self._watch.after_row
            self._marks.set(self._mark, {"after_row": self._saved})

    def _note(self, failed: FailedOrder, moment: datetime) -> None:
        wanted, origin = failed.wanted, self._origin
        failure_id = record_id(
            *("failure", origin.user_id, origin.strategy, str(origin.mode)),
            *(origin.run_id, failed.key),
        )
        if failed.order_id and self._journal.is_current(failure_id):
            return  # an earlier process noted it
        self._keep(
            Failure(
                id=failure_id,
                origin=origin,
                known_at=moment,
                recorded_at=moment,
                action="entry" if wanted.is_entry else "exit",
                cause=failed.cause,
                reason=failed.reason,
                pair=wanted.pair,
                side=wanted.side,
                order_id=failed.order_id,
                rate=failed.rate,
                filled_ratio=failed.filled_ratio,
                n=failed.n,
            )
        )
        if wanted.is_entry and failed.opened_nothing:
            entry = Entry(wanted.pair, wanted.side, "", failed.rate)
            self._missed.add("not_filled", entry, moment)

    def _keep(self, record: Record) -> None:
        if getattr(self._categories, record.category):
            self._submit(record)
