"""One run of one strategy: what the callbacks tell, what recall learns, what the journal gets.

The session knows nothing of callbacks; `callbacks.py` calls it with what they carry. Its methods
may raise; the callbacks see to it that nothing reaches Freqtrade.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.deciding import Answer, Decider, Proposal
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.evidence import Evidence
from freqtrade_mem0.journal.append import Opened, SeenIn
from freqtrade_mem0.placed import PlacedDecisions
from freqtrade_mem0.records.base import Record, as_utc
from freqtrade_mem0.records.from_trade import (
    EntryContext,
    has_filled_entry,
    trade_id_of,
    trade_record,
)
from freqtrade_mem0.records.note import category_of
from freqtrade_mem0.records.retraction import retraction
from freqtrade_mem0.risk_log import RiskLog
from freqtrade_mem0.vetoes import Vetoes, is_vetoed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from freqtrade_mem0.config.settings import CategorySettings
    from freqtrade_mem0.host import BacktestLocks, BacktestTrades
    from freqtrade_mem0.insight import Shrinkage
    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.priors import Prior
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.risk import RiskEvent
    from freqtrade_mem0.records.trade import TradeRecord
    from freqtrade_mem0.risk.damping import Damping
    from freqtrade_mem0.risk.market import Lock
    from freqtrade_mem0.sizing.policy import Policy

logger = logging.getLogger(__name__)


class Session:
    """Decides stakes and turns fills into records.

    Parameters
    ----------
    origin
        The run.
    recall
        What is known; in a bot it already holds the records of earlier runs.
    policy
        How a stake follows from it.
    applied
        False in shadow mode: decisions are recorded, stakes stay as proposed.
    submit
        Takes entries for the journal; never blocks.
    categories
        Which categories are written.
    now
        Wall clock, for `recorded_at` only.
    backtest_trades
        Where a backtest's closed trades come from; None for bots.
    prior
        What the strategy knows from the start.
    prior_of_differences
        What is assumed about how much situations differ.
    database
        Identity of the bot's trade database; "" where there is none that lasts.
    damping
        How much risk events damp; None for not at all.
    veto_below
        Refuse entries with a smaller multiplier; None for never.
    backtest_locks
        Where a backtest's locks come from; None for bots.
    tell
        Takes risk events that are news, for the owner; never blocks.
    """

    def __init__(
        self,
        *,
        origin: Origin,
        recall: Recall,
        policy: Policy,
        applied: bool,
        submit: Callable[[Entry | Callable[[], Entry]], None],
        categories: CategorySettings,
        now: Callable[[], datetime],
        backtest_trades: BacktestTrades | None,
        prior: Prior,
        prior_of_differences: Shrinkage,
        database: str = "",
        damping: Damping | None = None,
        veto_below: float | None = None,
        backtest_locks: BacktestLocks | None = None,
        tell: Callable[[RiskEvent], None] | None = None,
    ) -> None:
        self.origin = origin
        self.recall = recall
        self.applied = applied
        self._submit = submit
        self._categories = categories
        self._now = now
        self._backtest_trades = backtest_trades
        self._prior = prior
        self._database = database
        self._seen: set[str] = set()
        """Ids of trades that were seen in that database, by this process or earlier ones."""
        # Freqtrade's REST server force-exits in a thread of its own.
        self._lock = threading.RLock()
        self._backtest_locks = backtest_locks
        self._risk = RiskLog(
            origin=origin, keep=self._keep, now=now, damping=damping, applied=applied, tell=tell
        )
        self._vetoes = Vetoes(veto_below if applied else None)
        self._decider = Decider(
            origin=origin,
            evidence=Evidence(recall, prior_of_differences),
            policy=policy,
            risk=self._risk,
            vetoes=self._vetoes,
            applied=applied,
        )
        self._asked: dict[tuple[str, str], Answer] = {}
        """Answers whose entry has not been confirmed; by pair and side."""
        self._placed = PlacedDecisions(at_once=backtest_trades is not None)
        self._open: dict[str, EntryContext] = {}
        """What was known at entry; by trade id."""
        self._recorded: dict[str, TradeRecord] = {}
        """Trades of this run that are in the journal, or on their way to it; by id."""
        self._twins: dict[tuple[str, str, datetime], str] = {}
        """Record ids of the prior's trades, by what tells an entry."""
        if backtest_trades is None:
            self._restore_prior()  # a backtest does it when it begins

    def remember_earlier(
        self,
        *,
        placed: Iterable[Decision],
        opened: Mapping[str, EntryContext],
        recorded: Iterable[TradeRecord],
        seen: Iterable[str] = (),
        events: Iterable[RiskEvent] = (),
    ) -> None:
        """Go on where an earlier process of this bot stopped.

        Parameters
        ----------
        placed
            Decisions whose entry order was not filled yet, oldest first.
        opened
            What was known at the entry of trades that were open, by trade id.
        recorded
            What the journal has of this bot.
        seen
            Ids of trades that were seen in the bot's database.
        events
            Risk events that the journal has of this bot.
        """
        with self._lock:
            self._seen.update(seen)
            for decision in placed:
                if not is_vetoed(decision):
                    self._placed.add(
                        decision.pair,
                        decision.side,
                        decision.decided_at,
                        partial(_as_it_stands, decision),
                    )
            self._open.update(opened)
            self._recorded.update((record.id, record) for record in recorded)
            # A losing streak goes on over a restart.
            self._risk.replay(self._recorded.values(), events)

    def heard(self, records: Iterable[TradeRecord]) -> None:
        """Take up own trades that came back from Mem0: they know more than the bot's database."""
        with self._lock:
            for record in records:
                if record.id not in self._recorded:
                    self._recorded[record.id] = record
                    self._risk.heard(record)

    def replace_prior(self, prior: Prior) -> None:
        """Read another prior from now on; what the bot learned itself stays."""
        with self._lock:
            for record in self._prior.trades:
                self.recall.remove(record.id)
            self._prior = prior
            self._restore_prior()
            for record in self._recorded.values():
                if record.origin.strategy == self.origin.strategy:
                    self._learn(record)

    def answer(self, proposal: Proposal) -> Answer:
        """Return what memory makes of a proposed stake. Writes nothing."""
        with self._lock:
            self.learn_closed()
            self._risk.until(proposal.moment)
            if proposal.times_usual_range is not None:
                self._risk.ranged(proposal.pair, proposal.times_usual_range, proposal.moment)
            answer = self._decider.answer(proposal)
            self._asked[proposal.pair, proposal.side] = answer
            return answer

    def decide(self, proposal: Proposal) -> Decision:
        """Return the answer to a proposed stake, written down with its reasons."""
        return self.answer(proposal).decision()

    def leverage_factor(self, pair: str, moment: datetime) -> float:
        """Return what risk events leave of an entry's leverage, in (0, 1]; 1.0 in shadow."""
        if not self.applied:
            return 1.0
        with self._lock:
            self.learn_closed()
            self._risk.until(moment)
            return self._risk.leverage_factor(moment, pair)

    def watch_risk(self, moment: datetime, locks: Iterable[Lock]) -> None:
        """Note what trades completed before a moment, and locks by protections."""
        with self._lock:
            self._risk.until(moment)
            self._risk.locked(locks)

    def submit_again(self) -> None:
        """Hand over all this session knows once more, to a journal that knows nothing."""
        with self._lock:
            for record in self._recorded.values():
                self._keep(record)
            self._risk.submit_again()
            for seen in sorted(self._seen):
                self._submit(SeenIn(record_id=seen, database=self._database))
            for decision in self._placed:
                self._submit(decision)

    def forget_asked(self, pair: str, side: str) -> None:
        """Begin a new question: the last one's decision must not be taken for its answer."""
        with self._lock:
            self._asked.pop((pair, side), None)

    def entry_confirmed(self, pair: str, side: str) -> Answer | None:
        """Keep the answer for an entry whose order is about to be placed, and return it.

        A veto is kept in the ledger and waits for no order.
        """
        with self._lock:
            answer = self._asked.pop((pair, side), None)
            if answer is None:
                return None
            if not answer.is_vetoed:
                self._placed.add(pair, side, answer.proposal.moment, answer.decision)
                self._submit(answer.decision)
            elif self._vetoes.is_news(answer.proposal):
                self._submit(answer.decision)
            return answer

    def entry_filled(self, trade: Any) -> None:
        """Tie a trade to its decision, at its first filled entry order."""
        with self._lock:
            trade_id = trade_id_of(trade, self.origin)
            if trade_id in self._open or trade_id in self._recorded:
                return  # a further entry order of a trade we know
            decision = self._placed.take_for(trade)
            if decision is None:
                return  # entered while memory was away; any decision was for another order
            self._open[trade_id] = EntryContext(
                decision_id=decision.id, situation=decision.situation
            )
            self._submit(
                Opened(
                    decision_id=decision.id,
                    trade_id=trade_id,
                    open_date=as_utc(trade.open_date),
                )
            )

    def trade_closed(self, trade: Any) -> None:
        """Record a closed trade, once, and learn from it; again only what turned out different."""
        with self._lock:
            # A bot's database may hold trades of a strategy it ran before.
            own_strategy = getattr(trade, "strategy", None) or self.origin.strategy
            origin = replace(self.origin, strategy=own_strategy)
            trade_id = trade_id_of(trade, origin)
            if self._database and trade_id not in self._seen:
                self._seen.add(trade_id)
                self._submit(SeenIn(record_id=trade_id, database=self._database))
            earlier = self._recorded.get(trade_id)
            if earlier is not None and earlier.decision_id is not None:
                context = EntryContext(decision_id=earlier.decision_id, situation=earlier.situation)
            else:
                if trade_id not in self._open and earlier is None:
                    self.entry_filled(trade)  # both happened while this bot was down
                # An imported record knows nothing of the entry; the ledger does.
                context = self._open.get(trade_id, EntryContext())
            record = trade_record(trade, origin, self._now(), context)
            if earlier is not None and replace(earlier, recorded_at=record.recorded_at) == record:
                return
            self._recorded[trade_id] = record
            self._open.pop(trade_id, None)
            self._keep(record)
            self._risk.closed(record)
            if own_strategy == self.origin.strategy:
                self._learn(record)

    def retract_missing(
        self, closed: Iterable[Any], still_open: Iterable[Any], since: datetime
    ) -> None:
        """Take back trades that Freqtrade's database had as closed, and has not any more.

        Parameters
        ----------
        closed, still_open
            All trades in the database. A trade can be open again: Freqtrade reloads it on request.
        since
            Aware UTC; when the database was made. Of an earlier one in its place it says nothing.
        """
        with self._lock:
            known, reopened = (
                {trade_id_of(trade, self.origin) for trade in trades if has_filled_entry(trade)}
                for trades in (closed, still_open)
            )
            for record in list(self._recorded.values()):
                if record.id in known or record.id not in self._seen or record.open_date < since:
                    continue
                del self._recorded[record.id]
                self._open[record.id] = EntryContext(
                    decision_id=record.decision_id, situation=record.situation
                )
                self.recall.remove(record.id)
                reason = (
                    "the trade is open again"
                    if record.id in reopened
                    else "the trade is not in Freqtrade's database any more"
                )
                self._keep(retraction(record, reason, self._now()))
                self._risk.reopened(record, reason)

    def trades_closed(self, trades: Iterable[Any]) -> None:
        """Record several closed trades; one that can not be recorded does not stop the others."""
        for trade in trades:
            try:
                self.trade_closed(trade)
            except RecordError as error:
                logger.warning("%s", error)
            except Exception:
                logger.exception("Trade %s could not be recorded; it is tried again later.", trade)

    def trades_open(self, trades: Iterable[Any]) -> None:
        """Tie open trades to their decisions where that was missed."""
        for trade in trades:
            if has_filled_entry(trade):
                self.entry_filled(trade)

    def learn_closed(self) -> None:
        """Take in what the running backtest has closed since the last call."""
        if self._backtest_trades is None:
            return
        began, trades = self._backtest_trades.take_new()
        if began:
            self._begin_run()
        self.trades_closed(trades)
        if (began or trades) and self._backtest_locks is not None:
            self._risk.locked(self._backtest_locks.take_new())

    def end_run(self) -> None:
        """Take in what a backtest closed after its last entry."""
        with self._lock:
            if self._backtest_trades is not None:
                self.trades_closed(self._backtest_trades.last_of_run())
                if self._backtest_locks is not None:
                    self._risk.locked(self._backtest_locks.last_of_run())
                self._risk.until(None)

    def _begin_run(self) -> None:
        """Forget what the process's previous backtest taught (an earlier hyperopt epoch, say)."""
        self.recall.clear()
        self._restore_prior()
        self._risk.clear()
        self._vetoes.clear()
        self._asked.clear()
        self._placed.clear()
        self._open.clear()
        self._recorded.clear()

    def _keep(self, record: Record) -> None:
        if getattr(self._categories, category_of(record)):
            self._submit(record)

    def _restore_prior(self) -> None:
        for record in self._prior.trades:
            self.recall.add(record, self._prior.discount)
        self._twins = {_entry_of(record): record.id for record in self._prior.trades}

    def _learn(self, record: TradeRecord) -> None:
        """Let recall count an own trade, and the prior's record of the same trade no more."""
        twin = self._twins.pop(_entry_of(record), None)
        if twin is not None:
            self.recall.remove(twin)
        self.recall.add(record)


def _as_it_stands(decision: Decision) -> Decision:
    return decision


def _entry_of(record: TradeRecord) -> tuple[str, str, datetime]:
    return record.pair, record.side, record.open_date
