"""The session of a dry-run or live bot: fills tie trades to decisions, closed trades are recorded.

What a bot keeps is bounded; what is older is looked up in the journal, never in a trading callback.
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.errors import JournalError, RecordError
from freqtrade_mem0.journal.append import SeenIn
from freqtrade_mem0.records.from_trade import (
    EntryContext,
    has_filled_entry,
    trade_id_of,
    trade_record,
)
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.risk.log import WINDOW, RiskLog
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, position_of
from freqtrade_mem0.run.bot.entries.own_trades import Archive, OwnTrades
from freqtrade_mem0.run.bot.entries.placed import PlacedDecisions
from freqtrade_mem0.run.bot.entries.tying import EntryTies
from freqtrade_mem0.run.session import Session, entry_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.decide.decider import Answer
    from freqtrade_mem0.journal.writer import Submitted
    from freqtrade_mem0.recall.priors import Prior
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.risk.event_type import Lock
    from freqtrade_mem0.run.setup import SessionSetup

logger = logging.getLogger(__name__)

T = TypeVar("T")


class BotSession(Session):
    """Answers proposals, and turns fills into records.

    Parameters
    ----------
    database
        Identity of the bot's trade database; "" where there is none that lasts.
    archive
        Where the bot's older trades are looked up; None keeps all in memory.
    timeframe_s
        Seconds of a candle. Within one, an entry that is asked for again after it was refused or
        cancelled is the same decision; 0 makes each a decision of its own.
    setup, submit, now, tell
        As for `Session`.
    """

    def __init__(
        self,
        setup: SessionSetup,
        *,
        submit: Callable[[Submitted], None],
        now: Callable[[], datetime],
        tell: Callable[[RiskEvent], None] | None = None,
        database: str = "",
        archive: Archive | None = None,
        timeframe_s: int = 0,
    ) -> None:
        window = None if archive is None else WINDOW
        super().__init__(setup, submit=submit, now=now, tell=tell, window=window)
        self._database = database
        self._timeframe_s = timeframe_s
        self._placed = PlacedDecisions()
        self._entries = EntryTies(self._placed, self._submit)
        self._own = OwnTrades(archive)
        self.n_closed = 0
        """Trades that were recorded, or corrected, by this process."""

    def _await_fill(self, answer: Answer) -> None:
        proposal = answer.proposal
        earlier = self._placed.take_since(
            proposal.pair, proposal.side, self._candle_of(proposal.moment)
        )
        if earlier is not None:
            answer.repeat(earlier)
        self._placed.add(proposal.pair, proposal.side, proposal.moment, answer.decision)

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
            self.restore_risk(fresh, events, checkpoint)

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
        entries = {entry_of(record) for record in prior.trades}
        own = [record for record in own_trades if entry_of(record) in entries]
        with self._lock:
            for record in self._prior.trades:
                self.recall.remove(record.id)
            self._prior = prior
            self._restore_prior()
            for record in (*own, *self._own):
                if record.origin.strategy == self.origin.strategy:
                    self.learn(record)

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
            record = trade_record(trade, origin, self._now(), context, identity=trade_id)
            if earlier is not None and replace(earlier, recorded_at=record.recorded_at) == record:
                return
            self._own.add(record)
            self.n_closed += 1
            self._entries.release(trade_id)
            self._keep(record)
            self._risk.closed(record, earlier)
            if own_strategy == self.origin.strategy:
                self.learn(record)

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


def _as_it_stands(decision: Decision) -> Decision:
    return decision
