"""A backtest (also a hyperopt epoch): trades come from Freqtrade's own list.

Nobody trades by it, and it makes very many decisions: what it does between two candles is as little
as can be, and what has to be worded or written is left to whoever appends it to the journal.
"""

from __future__ import annotations

import logging
import math
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.host.backtest_state import BacktestLocks, BacktestTrades
from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.from_trade import (
    END_OF_DATA,
    EntryContext,
    trade_id_of,
    trade_record,
)
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
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.run.setup import SessionSetup

logger = logging.getLogger(__name__)


_BATCH = 20_000
"""Entries of a backtest that wait for the journal, some 60 MB: most runs write at their end."""

_BATCH_BESIDE = 2_000
"""The same where a process beside the run delivers them."""


class _Closed(NamedTuple):
    """A trade as far as recall and risk look at it; its record is written later."""

    id: str
    origin: Origin
    known_at: datetime
    recorded_at: datetime
    pair: str
    side: str
    enter_tag: str
    exit_reason: str
    open_date: datetime
    profit_ratio: float
    is_evidence: bool
    situation: Mapping[str, float | str]


class BacktestSession(Session):
    """Answers proposals, and records what Freqtrade has closed.

    Parameters
    ----------
    trades
        Where closed trades come from.
    locks
        Where locks come from; None for nowhere.
    is_recorded
        Whether anybody takes what it submits. Else (an epoch of a hyperopt) trades are not even
        offered.
    setup, submit, now
        As for `Session`.
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
        super().__init__(setup, submit=submit, now=now, puts_off_risk=True)
        self._trades = trades
        self._locks = locks
        self._is_recorded = is_recorded
        self._entered: dict[tuple[str, str, datetime], Answer] = {}
        """What was answered to entries; by pair, side and open date. Those that timed out stay."""

    def end_run(self) -> None:
        """Take in what was closed after the last entry."""
        if not self._is_recorded:
            return
        with self._lock:
            self._record(self._trades.last_of_run())
            if self._locks is not None:
                self._risk.locked(self._locks.last_of_run())
            self._risk.until(None)

    def _await_fill(self, answer: Answer) -> None:
        proposal = answer.proposal
        # A trade's open date is the very moment of its decision, however late it is filled.
        self._entered[proposal.pair, proposal.side, proposal.moment] = answer

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
        """Forget what the process's previous backtest taught (an earlier hyperopt epoch, say)."""
        if self._is_recorded:
            self._risk.until(None)
        self.recall.clear()
        self._restore_prior()
        self._risk.clear()
        self._vetoes.clear()
        self._asked.clear()
        self._entered.clear()

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
        if trade.close_profit is None or not math.isfinite(trade.close_profit):
            trade_record(trade, self.origin, self._now())  # says what is wrong
        pair, side, open_date = trade.pair, trade.trade_direction, as_utc(trade.open_date)
        answer = self._entered.pop((pair, side, open_date), None)
        exit_reason = trade.exit_reason or ""
        closed = _Closed(
            id=trade_id_of(trade, self.origin),
            origin=self.origin,
            known_at=as_utc(trade.close_date),
            recorded_at=self._now(),
            pair=pair,
            side=side,
            enter_tag=str(trade.enter_tag or ""),
            exit_reason=exit_reason,
            open_date=open_date,
            profit_ratio=trade.close_profit,
            is_evidence=exit_reason != END_OF_DATA,
            situation={} if answer is None else answer.proposal.situation,
        )
        if self._is_recorded:
            self._submit(partial(self._written, trade, closed, answer))
        self._risk.closed(closed)
        self.learn(closed)

    def _written(
        self, trade: Any, closed: _Closed, answer: Answer | None
    ) -> tuple[Opened | TradeRecord, ...]:
        """Return what the journal gets of a closed trade, which does not change any more."""
        entry = EntryContext()
        entries: list[Opened | TradeRecord] = []
        if answer is not None:  # else it was entered while memory had failed
            entry = EntryContext(decision_id=answer.id, situation=closed.situation)
            entries.append(
                Opened(decision_id=answer.id, trade_id=closed.id, open_date=closed.open_date)
            )
        try:
            record = trade_record(trade, self.origin, closed.recorded_at, entry, identity=closed.id)
        except RecordError as error:
            # Said here: as an error of the writer's it would hold up the batch it is in.
            logger.warning("%s", error)
            return tuple(entries)
        if self._is_kept(record):
            entries.append(record)
        return tuple(entries)


class BacktestRuntime(Runtime):
    """Works for a backtest, a hyperopt epoch or an analysis; see `Runtime`."""

    session: BacktestSession

    def __init__(
        self, run: RunDescription, prior: Prior, store: MemoryFolder, now: Callable[[], datetime]
    ) -> None:
        super().__init__(run, prior, store, now)
        self.session = BacktestSession(
            self.setup,
            submit=self.submit,
            now=now,
            trades=BacktestTrades(),
            locks=BacktestLocks(),
            is_recorded=run.kind.writes,
        )
        if run.kind.writes:
            store.journal.open()  # so that a wrong path stops the run right here
            # What a process beside the run is to deliver meanwhile can not wait for its end.
            is_delivered = store.delivers and run.settings.delivery.flush_timeout_s > 0
            batch = _BATCH_BESIDE if is_delivered else _BATCH
            self.writer = JournalWriter(store.journal, background=False, batch=batch)

    def end_backtest(self) -> None:
        """Record what the backtest closed last. Called again, it does nothing more."""
        self.session.end_run()
        if self.writer is not None and not self.writer.flush(CLOSE_TIMEOUT_S):
            logger.error("Some trades of this run could not be written to the journal.")

    def _close_parts(self, closing: ExitStack) -> None:
        if self.writer is not None:
            closing.callback(self.store.close)
            closing.callback(self.writer.close, CLOSE_TIMEOUT_S)
        self.end_backtest()
