"""One run of one strategy: answers proposed stakes, records confirmed entries, learns outcomes.

`strategy.callbacks` calls a session; it catches what the methods raise. `run.backtest` and
`run.bot.session` add where closed trades come from and what is kept of them.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.decider import Decider
from freqtrade_mem0.decide.vetoes import Vetoes
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.risk.log import RiskLog
from freqtrade_mem0.risk.sequence import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from freqtrade_mem0.decide.account_snapshot import AccountSnapshot
    from freqtrade_mem0.decide.decider import Answer
    from freqtrade_mem0.decide.learned import LearnedRules
    from freqtrade_mem0.decide.proposal import Proposal
    from freqtrade_mem0.journal.writer import Submitted
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade
    from freqtrade_mem0.risk.sequence import Checkpoint
    from freqtrade_mem0.run.setup import SessionSetup


class Session:
    """Answers proposals from the trades that a recall knows.

    Freqtrade calls it from several threads; each call holds the lock for one trade or one decision.
    No method that a callback uses reads a disk.

    Parameters
    ----------
    setup
        Recall, policy and limits. In a bot, the recall already holds the trades of earlier runs.
    submit
        Takes entries for the journal, or functions that return them; never blocks.
    now
        Wall clock, for `recorded_at` only.
    tell
        Takes new risk events for the bot's owner; never blocks.
    window
        How many trades the risk log keeps; None keeps all.
    puts_off
        Whether the explanations of decisions, and what the risk log says of trades, may be worked
        out at the end of the run, by the thread that calls the session.
    """

    def __init__(
        self,
        setup: SessionSetup,
        *,
        submit: Callable[[Submitted], None],
        now: Callable[[], datetime],
        tell: Callable[[RiskEvent], None] | None = None,
        window: int | None = None,
        puts_off: bool = False,
    ) -> None:
        self.origin = setup.origin
        self.recall = setup.recall
        self.applied = setup.applied
        self._submit = submit
        self._categories = setup.categories
        self._now = now
        self._prior = setup.prior
        # Freqtrade's REST server force-exits in a thread of its own.
        self._lock = threading.RLock()
        self._risk = RiskLog(
            origin=setup.origin,
            keep=self._keep,
            now=now,
            damping=setup.damping,
            applied=setup.applied,
            tell=tell,
            window=window,
            puts_off=puts_off and not setup.rules.reads_risk,
        )
        self._decider = Decider(
            origin=setup.origin,
            evidence=setup.evidence,
            policy=setup.policy,
            risk=self._risk,
            rules=setup.rules,
            vetoes=Vetoes(setup.veto_below if setup.applied else None),
            applied=setup.applied,
            puts_off=puts_off,
        )
        self._unconfirmed: dict[tuple[str, str], Answer] = {}
        """Answers whose entry has not been confirmed, by pair and side."""
        self._prior_ids: dict[tuple[str, str, datetime], str] = {}
        """Record ids of the prior's trades, by `entry_of`."""
        self._restore_prior()

    def answer(self, proposal: Proposal) -> Answer:
        """Return memory's answer to a proposed stake. Writes nothing."""
        with self._lock:
            self._learn_closed()
            self._risk.until(proposal.moment)
            if proposal.times_usual_range is not None:
                moment = as_utc(proposal.moment)
                self._risk.ranged(proposal.pair, proposal.times_usual_range, moment)
            answer = self._decider.answer(proposal)
            self._unconfirmed[proposal.pair, proposal.side] = answer
            return answer

    def replace_rules(self, rules: LearnedRules) -> None:
        """Let other learned rules act from the next decision on."""
        with self._lock:
            self._decider.rules = rules

    def prepare(self, moment: datetime, snapshot: AccountSnapshot | None = None) -> None:
        """Take in the trades known before a moment, so that no decision has to wait for it."""
        with self._lock:
            self._learn_closed()
            self._decider.evidence.prepare(moment, snapshot)

    def decide(self, proposal: Proposal) -> Decision:
        """Return the answer to a proposed stake as a decision with its reasons."""
        return self.answer(proposal).decision()

    def leverage_factor(self, pair: str, moment: datetime) -> float:
        """Return the factor by which risk damps an entry's leverage, in (0, 1]; 1.0 in shadow."""
        if not self.applied:
            return 1.0
        with self._lock:
            self._learn_closed()
            self._risk.until(moment)
            return self._risk.leverage_factor(moment, pair)

    def forget_answer(self, pair: str, side: str) -> None:
        """Drop the last answer for a pair and side: Freqtrade asks for a new stake."""
        with self._lock:
            self._unconfirmed.pop((pair, side), None)

    def entry_confirmed(self, pair: str, side: str) -> Answer | None:
        """Record the decision of an entry whose order is about to be placed; return the answer.

        None where no answer is known. A vetoed entry is recorded too, but its order is not awaited.
        """
        with self._lock:
            answer = self._unconfirmed.pop((pair, side), None)
            if answer is None:
                return None
            if answer.is_vetoed:
                self._note_veto(answer)
            else:
                self._await_fill(answer)
            self._submit(answer.decision)
            return answer

    def _learn_closed(self) -> None:
        """Learn the trades closed since the last call."""

    def _await_fill(self, answer: Answer) -> None:
        """Keep the answer to an entry until its order is filled."""

    def _note_veto(self, answer: Answer) -> None:
        """Count a refusal together with earlier ones of its candle, where entries are repeated."""

    def _keep(self, record: Record) -> None:
        if self._is_kept(record):
            self._submit(record)

    def _is_kept(self, record: Record) -> bool:
        return bool(getattr(self._categories, record.category))

    def restore_risk(
        self,
        trades: Iterable[ClosedTrade],
        events: Iterable[RiskEvent],
        start: Checkpoint = BEGINNING,
    ) -> None:
        """Let the risk log continue after earlier trades and events; see `RiskLog.replay`."""
        with self._lock:
            self._risk.replay(trades, events, start)

    def hear(self, trades: Iterable[ClosedTrade], events: Iterable[RiskEvent]) -> None:
        """Let the risk log follow trades and events that another process recorded."""
        with self._lock:
            for trade in trades:
                self._risk.heard(trade)
            self._risk.heard_of(events)

    def learn(self, record: ClosedTrade) -> None:
        """Add an own trade to recall; it replaces the prior's record of the same trade."""
        if self._prior_ids:
            prior_id = self._prior_ids.pop(entry_of(record), None)
            if prior_id is not None:
                self.recall.remove(prior_id)
        self.recall.add(record)

    def _restore_prior(self) -> None:
        for record in self._prior.trades:
            self.recall.add(record, self._prior.discount)
        self._prior_ids = {entry_of(record): record.id for record in self._prior.trades}


def entry_of(record: ClosedTrade) -> tuple[str, str, datetime]:
    """Return what identifies an entry of a strategy: pair, side, open date."""
    return record.pair, record.side, record.open_date
