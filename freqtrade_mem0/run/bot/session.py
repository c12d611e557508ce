"""The session of a dry-run or live bot: links filled entries to decisions, records closed trades.

A bot keeps a bounded number of trades in RAM. Older ones are looked up in the journal, but never in
a trading callback.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.errors import JournalError, RecordError
from freqtrade_mem0.journal.append import Confirmed, SeenIn
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.from_trade import (
    EntryContext,
    has_filled_entry,
    trade_id_in,
    trade_id_of,
    trade_record,
)
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.log import WINDOW, RiskLog
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, position_of
from freqtrade_mem0.run.bot.entries.exits import ExitNotes
from freqtrade_mem0.run.bot.entries.links import EntryLinks
from freqtrade_mem0.run.bot.entries.own_trades import Archive, OwnTrades
from freqtrade_mem0.run.bot.entries.placed import PlacedDecisions
from freqtrade_mem0.run.session import Session, entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.decide.decider import Answer
    from freqtrade_mem0.journal.writer import Submitted
    from freqtrade_mem0.recall.priors import Prior
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade
    from freqtrade_mem0.risk.event_type import Lock
    from freqtrade_mem0.run.bot.entries.exits import AskedExit
    from freqtrade_mem0.run.setup import SessionSetup

logger = logging.getLogger(__name__)

T = TypeVar("T")


class BotSession(Session):
    """Answers proposals, and records what was filled.

    Older trades are looked up in `archive`; None keeps all trades in RAM. Where Freqtrade repeats
    an entry within a candle of `timeframe_s` seconds, this is one decision; with 0 each is one.
    `linked` takes a trade with what builds the decision that opened it; it never blocks.
    """

    def __init__(
        self,
        setup: SessionSetup,
        *,
        submit: Callable[[Submitted], None],
        now: Callable[[], datetime],
        tell: Callable[[RiskEvent], None] | None = None,
        archive: Archive | None = None,
        timeframe_s: int = 0,
        linked: Callable[[Any, Callable[[], Decision]], None] = lambda trade, decision: None,  # noqa: ARG005
    ) -> None:
        window = None if archive is None else WINDOW
        super().__init__(setup, submit=submit, now=now, tell=tell, window=window)
        self._timeframe_s = timeframe_s
        self._placed = PlacedDecisions()
        self._vetoed: dict[tuple[str, str], Decision] = {}
        """The last refused entry of each pair and side."""
        self._entries = EntryLinks(self._placed, self._submit, linked)
        self._exits = ExitNotes()
        self._own = OwnTrades(archive)
        self.database = ""
        """Identity of the bot's trade database; "" as long as it is not known, or if none lasts."""
        self.forgotten_until: datetime | None = None
        """Trades that closed by then are not taken from the database again: they were forgotten."""
        self._to_learn: deque[ClosedTrade] = deque()
        """Closed trades that recall does not know yet: what asks it next tells it of them."""
        self.n_closed = 0
        """Trades that this process has recorded or corrected."""

    def learn_closed(self) -> None:
        """Let recall know all closed trades now, before it is told of others."""
        with self._lock:
            self._learn_closed()

    def _learn_closed(self) -> None:
        while self._to_learn:
            self.learn(self._to_learn.popleft())

    def _await_fill(self, answer: Answer) -> None:
        proposal = answer.proposal
        pair, side, moment = proposal.pair, proposal.side, proposal.moment
        if (pair, side) in self._placed:
            earlier = self._placed.take_since(pair, side, self._candle_of(moment))
            if earlier is not None:
                answer.repeat(earlier)
        self._placed.add(pair, side, moment, answer.decision)

    def _note_veto(self, answer: Answer) -> None:
        proposal = answer.proposal
        earlier = self._vetoed.get((proposal.pair, proposal.side))
        if earlier is not None and earlier.decided_at >= self._candle_of(proposal.moment):
            answer.repeat(earlier)
        self._vetoed[proposal.pair, proposal.side] = answer.decision()

    def _candle_of(self, moment: datetime) -> datetime:
        """Return when the candle of a moment opened; right after it where candles are unknown."""
        if not self._timeframe_s:
            return moment + timedelta(microseconds=1)
        return moment - timedelta(seconds=moment.timestamp() % self._timeframe_s)

    def remember_earlier(
        self,
        *,
        placed: Iterable[Decision],
        opened: Mapping[str, EntryContext],
        recorded: Sequence[ClosedTrade],
        events: Iterable[RiskEvent] = (),
        checkpoint: Checkpoint = BEGINNING,
    ) -> None:
        """Continue where an earlier process of this bot stopped.

        `placed` are decisions whose entry order was not filled yet, `opened` the entries of open
        trades by trade id, `recorded` the newest trades, at least all after the checkpoint, and
        `events` the risk events, at least those of these trades. All are sorted, oldest first. Of
        the trades, those that are whole records are kept in RAM.
        """
        with self._lock:
            for decision in placed:
                if is_vetoed(decision):
                    self._vetoed[decision.pair, decision.side] = decision
                else:
                    self._placed.add(
                        decision.pair,
                        decision.side,
                        decision.decided_at,
                        partial(_same, decision),
                    )
            self._entries.add(opened)
            self._own.add_all(each for each in recorded if isinstance(each, TradeRecord))
            # A losing streak continues over a restart.
            last = checkpoint.last
            fresh = (record for record in recorded if last is None or position_of(record) > last)
            self.restore_risk(fresh, events, checkpoint)

    def add_from_mem0(self, records: Iterable[ClosedTrade]) -> None:
        """Add own trades that came back from Mem0; they hold more than the bot's database."""
        for record in records:
            with self._lock:
                if self._own.recent(record.id) is None:
                    if isinstance(record, TradeRecord):
                        self._own.add(record)
                    self._risk.heard(record)

    def replace_prior(self, prior: Prior, own_trades: Iterable[ClosedTrade] = ()) -> None:
        """Replace the prior. Own trades, and the older `own_trades`, count before its records."""
        entries = {entry_of(record) for record in prior.trades}
        own = [record for record in own_trades if entry_of(record) in entries]
        with self._lock:
            self._learn_closed()
            for record in self._prior.trades:
                self.recall.remove(record.id)
            self._prior = prior
            self._restore_prior()
            for record in (*own, *self._own):
                if record.origin.strategy == self.origin.strategy:
                    self.learn(record)

    def watch_risk(self, moment: datetime, locks: Iterable[Lock] = ()) -> None:
        """Record the risk events of trades before a moment, and of locks by protections."""
        with self._lock:
            self._risk.until(moment)
            self._risk.locked(locks)

    def on_risk(self, act: Callable[[RiskLog], T]) -> T:
        """Call a function with the risk log, under the session's lock; return its result."""
        with self._lock:
            return act(self._risk)

    def submit_again(self) -> int:
        """Submit everything in RAM again, to an empty journal; return the number of trades."""
        with self._lock:
            records = list(self._own)
            for record in records:
                self._keep(record)
            self._risk.submit_again(records)
            self._own.forget_seen()  # the next reconciliation submits it again
            for decision in self._placed:
                self._submit(decision)
            return len(records)

    def entry_filled(self, trade: Any) -> None:
        """Link a trade to its decision, at its first filled entry order."""
        trade_id = trade_id_in(trade, self.origin)
        if trade_id is None:
            return
        with self._lock:
            if self._own.recent(trade_id) is None:
                self._entries.link(trade, trade_id)

    def exit_asked(self, trade: Any, asked: AskedExit) -> None:
        """Note an exit that Freqtrade asked to confirm, for the record of the closed trade."""
        trade_id = trade_id_in(trade, self.origin)
        if trade_id is not None:
            with self._lock:
                self._exits.add(trade_id, asked)

    def trade_closed(self, trade: Any) -> None:
        """Record a closed trade; a repeated call records only a change.

        Whatever asks recall next learns it, so that the callback does not wait for that.
        A trade that is not in RAM counts as new; the journal skips what it has.
        """
        self._close(trade, None)

    def trades_closed(self, trades: Iterable[Any]) -> None:
        """Record several closed trades; one that can not be recorded does not stop the others.

        Looks up older trades in the journal: never call it in a trading callback.
        """
        for trade in trades:
            try:
                self._close(trade, self._archived(trade))
                self.learn_closed()
            except RecordError as error:
                logger.warning("%s", error)
            except JournalError:
                raise
            except Exception:
                logger.exception("Trade %s could not be recorded; it is tried again later.", trade)

    def trades_open(self, trades: Iterable[Any]) -> None:
        """Link open trades to their decisions where a callback was missed; may read the journal."""
        for trade in trades:
            if has_filled_entry(trade):
                self.entry_filled(trade)
                self._recover_entry(trade_id_of(trade, self.origin))

    def retract(self, record: TradeRecord, reason: str) -> None:
        """Retract a recorded trade, with the risk events that followed from it."""
        with self._lock:
            self._learn_closed()
            self._own.retract(record.id)
            self._entries.reopen(record)
            self.recall.remove(record.id)
            self._keep(retraction(record, reason, self._now()))
            self._risk.reopened(record, reason)

    def recorded(self, trade_id: str) -> TradeRecord | None:
        """Return the valid record of a trade, from RAM or the journal."""
        archived = self._own.archived(trade_id)
        with self._lock:
            retracted = self._own.was_retracted(trade_id)
            return self._own.recent(trade_id) or (None if retracted else archived)

    def note_seen(self, trade_ids: Iterable[str]) -> None:
        """Record that trades are in the bot's database, so that their deletion is noticed later."""
        for trade_id in trade_ids:
            with self._lock:
                if self._own.is_seen_first(trade_id):
                    self._submit(SeenIn(record_id=trade_id, database=self.database))

    def _close(self, trade: Any, archived: TradeRecord | None) -> None:
        trade_id = trade_id_in(trade, self.origin)
        if trade_id is None:
            return  # a dry-run's trade is no evidence of a live bot, nor the reverse
        until = self.forgotten_until
        if until is not None and trade.close_date and as_utc(trade.close_date) <= until:
            return
        with self._lock:
            # A bot's database may hold trades of a strategy it ran before.
            own_strategy = getattr(trade, "strategy", None) or self.origin.strategy
            is_own = own_strategy == self.origin.strategy
            origin = self.origin if is_own else replace(self.origin, strategy=own_strategy)
            if self.database and self._own.is_seen_first(trade_id):
                self._submit(SeenIn(record_id=trade_id, database=self.database))
            # Another thread may have recorded or retracted it since it was looked up.
            retracted = self._own.was_retracted(trade_id)
            earlier = self._own.recent(trade_id) or (None if retracted else archived)
            if earlier is not None and earlier.decision_id is not None:
                context = EntryContext(decision_id=earlier.decision_id, situation=earlier.situation)
            else:
                if earlier is None:
                    self._entries.link(trade, trade_id)  # both happened while this bot was down
                # An imported record has no entry context; the ledger has.
                context = self._entries.get(trade_id) or EntryContext()
            seen = self._exits.execution(trade, trade_id, earlier)
            record = trade_record(
                trade, origin, self._now(), context, identity=trade_id, execution=seen
            )
            if earlier is not None and replace(earlier, recorded_at=record.recorded_at) == record:
                if earlier is archived:  # it may have come from Mem0, and is in the database
                    self._submit(Confirmed(record_id=trade_id))
                return
            self._own.add(record)
            self.n_closed += 1
            self._entries.release(trade_id)
            self._exits.release(trade_id)
            self._keep(record)
            self._risk.closed(record, earlier)
            if is_own:
                self._to_learn.append(record)

    def _archived(self, trade: Any) -> TradeRecord | None:
        if self._own.are_all_kept:
            return None
        trade_id = trade_id_of(trade, self.origin)
        archived = self._own.archived(trade_id)
        if archived is None or archived.decision_id is None:
            self._recover_entry(trade_id)
        return archived

    def _recover_entry(self, trade_id: str) -> None:
        """Read the context of an entry of long ago from the journal."""
        with self._lock:
            if trade_id in self._entries or self._own.recent(trade_id) is not None:
                return
        entry = self._own.archived_entry(trade_id)
        if entry is not None:
            with self._lock:
                self._entries.add({trade_id: entry})


def _same(decision: Decision) -> Decision:
    return decision
