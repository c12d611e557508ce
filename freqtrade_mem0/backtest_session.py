"""The session of a backtest (also of a hyperopt epoch): trades come from Freqtrade's own list.

Nobody trades by it, and it makes very many decisions: what it does between two candles is as little
as can be, and what has to be worded or written is left to whoever appends it to the journal.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Unpack

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.from_trade import EntryContext, trade_record
from freqtrade_mem0.session import Parts, Session

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from freqtrade_mem0.deciding import Answer
    from freqtrade_mem0.host import BacktestLocks, BacktestTrades

logger = logging.getLogger(__name__)

_NO_ENTRY = EntryContext()


class BacktestSession(Session):
    """Answers proposals, and records what Freqtrade has closed.

    Parameters
    ----------
    trades
        Where closed trades come from.
    locks
        Where locks come from; None for nowhere.
    parts
        As for `Session`.
    """

    def __init__(
        self,
        *,
        trades: BacktestTrades,
        locks: BacktestLocks | None = None,
        **parts: Unpack[Parts],
    ) -> None:
        super().__init__(**parts)
        self._trades = trades
        self._locks = locks
        self._entered: dict[tuple[str, str, datetime], Answer] = {}
        """What was answered to entries; by pair, side and open date. Those that timed out stay."""

    def end_run(self) -> None:
        """Take in what was closed after the last entry."""
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
        if self._locks is not None:
            self._risk.locked(self._locks.take_new())

    def _begin_run(self) -> None:
        """Forget what the process's previous backtest taught (an earlier hyperopt epoch, say)."""
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
        open_date = as_utc(trade.open_date)
        answer = self._entered.pop((trade.pair, trade.trade_direction, open_date), None)
        entry = _NO_ENTRY
        if answer is not None:  # else it was entered while memory had failed
            entry = EntryContext(decision_id=answer.id, situation=answer.proposal.situation)
        record = trade_record(trade, self.origin, self._now(), entry)
        if answer is not None:
            opened = Opened(decision_id=answer.id, trade_id=record.id, open_date=open_date)
            self._submit(opened)
        self._keep(record)
        self._risk.closed(record)
        self._learn(record)
