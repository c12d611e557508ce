"""Memory in a backtest or a hyperopt epoch: closed trades are read from Freqtrade's own list.

A backtest makes very many decisions, so little is done per candle: records and explanations are
built when a batch is written to the journal.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.host.backtest_state import BacktestLocks, BacktestTrades
from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.records.base import as_utc, utc_ms
from freqtrade_mem0.records.from_trade import (
    END_OF_DATA,
    EntryContext,
    trade_ids,
    trade_record,
)
from freqtrade_mem0.records.kinds.opportunity import counted_opportunities
from freqtrade_mem0.run.closed import Closed
from freqtrade_mem0.run.runtime import CLOSE_TIMEOUT_S, Runtime
from freqtrade_mem0.run.session import Session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from contextlib import ExitStack
    from datetime import datetime

    from freqtrade_mem0.decide.decider import Answer
    from freqtrade_mem0.journal.writer import Submitted
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.recall.priors import Prior
    from freqtrade_mem0.records.kinds.opportunity import Why
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.run.setup import SessionSetup

logger = logging.getLogger(__name__)

_BATCH = 60_000
"""Journal entries per batch, at most 180 MB: runs of up to 30,000 trades write once, after their
loop and beside Freqtrade's statistics."""

_BATCH_WHEN_DELIVERED = 2_000
"""The same where another process delivers to Mem0 while the run goes on."""


class BacktestSession(Session):
    """Answers proposals, and records the trades that Freqtrade has closed.

    `locks` are Freqtrade's, if they count; `is_recorded` is False in a hyperopt epoch.
    """

    def __init__(
        self,
        setup: SessionSetup,
        *,
        submit: Callable[[Submitted], None],
        now: Callable[[], datetime],
        trades: BacktestTrades,
        locks: BacktestLocks | None = None,
        is_recorded: bool = True,
    ) -> None:
        super().__init__(setup, submit=submit, now=now, puts_off=True)
        self._trades = trades
        self._locks = locks
        self._is_recorded = is_recorded
        self._entered: dict[tuple[str, str, int], Answer] = {}
        """Answers by pair, side and open date in epoch milliseconds; those whose order timed out
        stay."""
        self._trade_ids: dict[tuple[str, str], Callable[[int], str]] = {}
        """Make the ids of a pair and side."""
        self._closed: set[tuple[str, str, int]] = set()
        """Pair, side and open date of the trades of the run."""
        self.missed: Counter[Why] = Counter()
        """How many entries of the run were refused or vetoed."""
        self.last_missed: datetime | None = None

    def end_run(self) -> None:
        """Record what was closed after the last entry."""
        if not self._is_recorded:
            return
        with self._lock:
            self._record(self._trades.last_of_run())
            if self._locks is not None:
                self._risk.locked(self._locks.last_of_run())
            self._risk.until(None)
            self._record_missed()

    def _record_missed(self) -> None:
        if self.last_missed is not None:
            for missed in counted_opportunities(
                self.origin, self.missed, as_utc(self.last_missed), self._now()
            ):
                self._keep(missed)

    def _await_fill(self, answer: Answer) -> None:
        proposal = answer.proposal
        # A trade's open date is the moment of its decision, however late the order is filled.
        self._entered[proposal.pair, proposal.side, proposal.moment_ms] = answer

    def _learn_closed(self) -> None:
        began, trades = self._trades.take_new()
        if began:
            self._begin_run()
        if not began and not trades:
            return
        self._record(trades)
        if self._locks is not None and (locks := self._locks.take_new()):
            self._risk.locked(locks)

    def _begin_run(self) -> None:
        """Forget what an earlier run in this process taught, such as a hyperopt epoch."""
        if self._is_recorded:
            self._risk.until(None)
        self.recall.clear()
        self._restore_prior()
        self._risk.clear()
        self._unconfirmed.clear()
        self._entered.clear()
        self._closed.clear()
        self._forget_missed()

    def _forget_missed(self) -> None:
        self.missed.clear()
        self.last_missed = None

    def _record(self, trades: Iterable[Any]) -> None:
        """Record closed trades; one that can not be recorded does not stop the others."""
        for trade in trades:
            try:
                self._close(trade)
            except RecordError as error:
                logger.warning("%s", error)
            except Exception:
                logger.exception("Trade %s could not be recorded.", trade)

    def _close(self, trade: Any) -> None:
        profit = trade.close_profit
        if profit is None or not math.isfinite(profit):
            trade_record(trade, self.origin, self._now())  # says what is wrong
        entry = pair, side, open_ms = trade.pair, trade.trade_direction, utc_ms(trade.open_date)
        answer = self._entered.pop(entry, None)
        numbered = self._trade_ids.get((pair, side))
        if numbered is None:
            numbered = self._trade_ids[pair, side] = trade_ids(self.origin, pair, side)
        closed = Closed(trade, answer, self.origin, self._now(), partial(numbered, open_ms))
        if self._is_recorded:
            self._submit(partial(self._entries_of, closed))
        self._risk.closed(closed)
        if self._prior_ids or entry in self._closed or self.recall.keeps_entries:
            self.learn(closed)
        elif trade.exit_reason != END_OF_DATA:
            movement = (None, None) if answer is None else answer.proposal.movement()
            times_ms = utc_ms(trade.close_date), open_ms
            self.recall.add_later(closed, profit, side, times_ms, movement)
        self._closed.add(entry)

    def _entries_of(self, closed: Closed) -> tuple[Opened | TradeRecord, ...]:
        """Return the journal entries of a closed trade."""
        trade, answer = closed.trade, closed.answer
        entry = EntryContext()
        entries: list[Opened | TradeRecord] = []
        if answer is not None:  # None where memory failed at the entry
            entry = EntryContext(decision_id=answer.id, situation=closed.situation)
            entries.append(
                Opened(decision_id=answer.id, trade_id=closed.id, open_date=closed.open_date)
            )
        try:
            record = trade_record(trade, self.origin, closed.recorded_at, entry, identity=closed.id)
        except RecordError as error:
            # Raised in the writer it would stop the whole batch.
            logger.warning("%s", error)
            return tuple(entries)
        if self._is_kept(record):
            entries.append(record)
        return tuple(entries)


class BacktestRuntime(Runtime):
    """The runtime of a backtest, a hyperopt epoch or an analysis."""

    session: BacktestSession
    session_type: type[BacktestSession] = BacktestSession

    def __init__(
        self, run: RunDescription, prior: Prior, store: MemoryFolder, now: Callable[[], datetime]
    ) -> None:
        super().__init__(run, prior, store, now)
        submit: Callable[[Submitted], None] = self.submit
        if run.kind.writes:
            store.journal.open()  # a wrong path stops the run here
            is_delivered = store.delivers and run.settings.delivery.flush_timeout_s > 0
            batch = _BATCH_WHEN_DELIVERED if is_delivered else _BATCH
            self.writer = JournalWriter(store.journal, background=False, batch=batch)
            submit = self.writer.submit
        self.session = self.session_type(
            self.setup,
            submit=submit,
            now=now,
            trades=BacktestTrades(),
            locks=BacktestLocks(),
            is_recorded=run.kind.writes,
        )

    def entry_answered(self, call: Mapping[str, Any], why: Why | None) -> None:
        """Count an entry that is not made."""
        if why is not None:
            self.session.missed[why] += 1
            self.session.last_missed = call["current_time"]

    def loop_ended(self) -> None:
        """Begin to write what the run recorded, beside what Freqtrade computes and prints next."""
        self.session.end_run()
        if self.writer is not None:
            self.writer.begin_flush()

    def end_backtest(self) -> None:
        """Record the last closed trades. Calling it again is harmless."""
        self.session.end_run()
        if self.writer is not None and not self.writer.flush(CLOSE_TIMEOUT_S):
            logger.error(
                "Some trades of this run could not be written to the journal, and memory does not "
                "know them. Its result is Freqtrade's own, and whole: run it again, or take it in "
                "by 'freqtrade-mem0 import'."
            )

    def _close_parts(self, closing: ExitStack) -> None:
        if self.writer is not None:
            closing.callback(self.store.close)
            closing.callback(self.writer.close, CLOSE_TIMEOUT_S)
        self.end_backtest()
