"""One run of one strategy: what the callbacks tell, what recall learns, what the journal gets.

The session knows nothing of callbacks; `callbacks.py` calls it with what they carry. Its methods
may raise; the callbacks see to it that nothing reaches Freqtrade.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade_mem0.deciding import Answer, Decider, Proposal
from freqtrade_mem0.errors import JournalError, RecordError
from freqtrade_mem0.evidence import Evidence
from freqtrade_mem0.journal.append import SeenIn
from freqtrade_mem0.own_trades import Archive, OwnTrades
from freqtrade_mem0.placed import PlacedDecisions
from freqtrade_mem0.records.from_trade import (
    EntryContext,
    has_filled_entry,
    trade_id_of,
    trade_record,
)
from freqtrade_mem0.records.note import category_of
from freqtrade_mem0.records.retraction import retraction
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, position_of
from freqtrade_mem0.risk_log import WINDOW, RiskLog
from freqtrade_mem0.tying import EntryTies
from freqtrade_mem0.vetoes import Vetoes, is_vetoed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.config.settings import CategorySettings
    from freqtrade_mem0.host import BacktestLocks, BacktestTrades
    from freqtrade_mem0.insight import Shrinkage
    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.priors import Prior
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.risk import RiskEvent
    from freqtrade_mem0.records.trade import TradeRecord
    from freqtrade_mem0.risk.damping import Damping
    from freqtrade_mem0.risk.market import Lock
    from freqtrade_mem0.sizing.policy import Policy

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Session:
    """Decides stakes and turns fills into records.

    Freqtrade calls it from several threads, and a thread of ours compares it with databases; each
    call holds its lock for one trade or one decision. Nothing a callback needs reads a disk.

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
    archive
        Where a bot's older trades are looked up; None keeps all in memory.
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
        archive: Archive | None = None,
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
        # Freqtrade's REST server force-exits in a thread of its own.
        self._lock = threading.RLock()
        self._backtest_locks = backtest_locks
        self._risk = RiskLog(
            origin=origin,
            keep=self._keep,
            now=now,
            damping=damping,
            applied=applied,
            tell=tell,
            window=None if archive is None else WINDOW,
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
        self._entries = EntryTies(self._placed, submit)
        self._own = OwnTrades(archive)
        self.n_closed = 0
        """Trades that were recorded, or corrected, by this process."""
        self._twins: dict[tuple[str, str, datetime], str] = {}
        """Record ids of the prior's trades, by what tells an entry."""
        if backtest_trades is None:
            self._restore_prior()  # a backtest does it when it begins

    def remember_earlier(
        self,
        *,
        placed: Iterable[Decision],
        opened: Mapping[str, EntryContext],
        recorded: Sequence[TradeRecord],
        events: Iterable[RiskEvent] = (),
        checkpoint: Checkpoint = BEGINNING,
    ) -> None:
        """Go on where an earlier process of this bot stopped.

        Parameters
        ----------
        placed
            Decisions whose entry order was not filled yet, oldest first.
        opened
            What was known at the entry of trades that were open, by trade id.
        recorded
            The newest trades that the journal has of this bot, oldest first; at least all behind
            the checkpoint.
        events
            Risk events that the journal has of this bot; at least those of these trades.
        checkpoint
            What the detectors of risk know of the trades before.
        """
        with self._lock:
            for decision in placed:
                if not is_vetoed(decision):
                    self._placed.add(
                        decision.pair,
                        decision.side,
                        decision.decided_at,
                        partial(_as_it_stands, decision),
                    )
            self._entries.add(opened)
            self._own.add_all(recorded)
            # A losing streak goes on over a restart.
            last = checkpoint.last
            fresh = (record for record in recorded if last is None or position_of(record) > last)
            self._risk.replay(fresh, events, checkpoint)

    def heard(self, records: Iterable[TradeRecord]) -> None:
        """Take up own trades that came back from Mem0: they know more than the bot's database."""
        for record in records:
            with self._lock:
                if self._own.recent(record.id) is None:
                    self._own.add(record)
                    self._risk.heard(record)

    def replace_prior(self, prior: Prior, own_trades: Iterable[TradeRecord] = ()) -> None:
        """Read another prior from now on; what the bot learned itself stays.

        Parameters
        ----------
        prior
            From now on.
        own_trades
            The bot's trades that are not kept here; of what a prior has as well, they count.
        """
        entries = {_entry_of(record) for record in prior.trades}
        own = [record for record in own_trades if _entry_of(record) in entries]
        with self._lock:
            for record in self._prior.trades:
                self.recall.remove(record.id)
            self._prior = prior
            self._restore_prior()
            for record in (*own, *self._own):
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

    def watch_risk(self, moment: datetime, locks: Iterable[Lock] = ()) -> None:
        """Note what trades completed before a moment, and locks by protections."""
        with self._lock:
            self._risk.until(moment)
            self._risk.locked(locks)

    def on_risk(self, act: Callable[[RiskLog], T]) -> T:
        """Do something with the log of risk, under the session's lock; return what that gives."""
        with self._lock:
            return act(self._risk)

    def submit_again(self) -> int:
        """Hand over all that is kept once more, to a journal that knows nothing.

        Returns
        -------
        int
            How many closed trades that were.
        """
        with self._lock:
            records = list(self._own)
            for record in records:
                self._keep(record)
            self._risk.submit_again(records)
            self._own.forget_seen()  # the next comparison says it again
            for decision in self._placed:
                self._submit(decision)
            return len(records)

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
            if self._own.recent(trade_id) is None:
                self._entries.tie(trade, trade_id)

    def trade_closed(self, trade: Any) -> None:
        """Record a closed trade, once, and learn from it; again only what turned out different.

        What is not kept here counts as new; the journal, which knows, skips it.
        """
        self._close(trade, None)

    def trades_closed(self, trades: Iterable[Any]) -> None:
        """Record several closed trades; one that can not be recorded does not stop the others.

        Older ones are looked up before: not to be called in a trading callback of a bot.
        """
        for trade in trades:
            try:
                self._close(trade, self._archived(trade))
            except RecordError as error:
                logger.warning("%s", error)
            except JournalError:
                raise
            except Exception:
                logger.exception("Trade %s could not be recorded; it is tried again later.", trade)

    def trades_open(self, trades: Iterable[Any]) -> None:
        """Tie open trades to their decisions where that was missed. As above, this may look up."""
        for trade in trades:
            if has_filled_entry(trade):
                self.entry_filled(trade)
                self._recover_entry(trade_id_of(trade, self.origin))

    def take_back(self, record: TradeRecord, reason: str) -> None:
        """Let a recorded trade count no more, with the events that followed from it.

        Parameters
        ----------
        record
            As it counts now.
        reason
            For people.
        """
        with self._lock:
            self._own.take_back(record.id)
            self._entries.reopen(record)
            self.recall.remove(record.id)
            self._keep(retraction(record, reason, self._now()))
            self._risk.reopened(record, reason)

    def recorded(self, trade_id: str) -> TradeRecord | None:
        """Return a trade of this run as it counts now, looked up where it is not kept."""
        archived = self._own.archived(trade_id)
        with self._lock:
            gone = self._own.was_taken_back(trade_id)
            return self._own.recent(trade_id) or (None if gone else archived)

    def note_seen(self, trade_ids: Iterable[str]) -> None:
        """Note that trades stand in the bot's database, so that they can be missed there later."""
        for trade_id in trade_ids:
            with self._lock:
                if self._own.is_seen_first(trade_id):
                    self._submit(SeenIn(record_id=trade_id, database=self._database))

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
        self._entries.clear()
        self._own.clear()

    def _close(self, trade: Any, archived: TradeRecord | None) -> None:
        with self._lock:
            # A bot's database may hold trades of a strategy it ran before.
            own_strategy = getattr(trade, "strategy", None) or self.origin.strategy
            origin = replace(self.origin, strategy=own_strategy)
            trade_id = trade_id_of(trade, origin)
            if self._database and self._own.is_seen_first(trade_id):
                self._submit(SeenIn(record_id=trade_id, database=self._database))
            # Another thread may have recorded it, or taken it back, since it was looked up.
            gone = self._own.was_taken_back(trade_id)
            earlier = self._own.recent(trade_id) or (None if gone else archived)
            if earlier is not None and earlier.decision_id is not None:
                context = EntryContext(decision_id=earlier.decision_id, situation=earlier.situation)
            else:
                if earlier is None:
                    self._entries.tie(trade, trade_id)  # both happened while this bot was down
                # An imported record knows nothing of the entry; the ledger does.
                context = self._entries.get(trade_id) or EntryContext()
            record = trade_record(trade, origin, self._now(), context)
            if earlier is not None and replace(earlier, recorded_at=record.recorded_at) == record:
                return
            self._own.add(record)
            self.n_closed += 1
            self._entries.release(trade_id)
            self._keep(record)
            self._risk.closed(record, earlier)
            if own_strategy == self.origin.strategy:
                self._learn(record)

    def _archived(self, trade: Any) -> TradeRecord | None:
        if self._own.are_all_kept:
            return None
        trade_id = trade_id_of(trade, self.origin)
        archived = self._own.archived(trade_id)
        if archived is None or archived.decision_id is None:
            self._recover_entry(trade_id)
        return archived

    def _recover_entry(self, trade_id: str) -> None:
        """Take up from the journal what it knows of an entry that was long ago."""
        with self._lock:
            if trade_id in self._entries or self._own.recent(trade_id) is not None:
                return
        entry = self._own.archived_entry(trade_id)
        if entry is not None:
            with self._lock:
                self._entries.add({trade_id: entry})

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
