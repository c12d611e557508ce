"""One run of one strategy: proposals are answered, confirmed entries kept, outcomes learned.

A session knows nothing of callbacks; `callbacks.py` calls it with what they carry. Its methods may
raise; the callbacks see to it that nothing reaches Freqtrade. Where closed trades come from, and
what is kept of them, is what `bot.session` and `backtest_session` add.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, TypedDict

from freqtrade_mem0.decide.decider import Decider
from freqtrade_mem0.decide.known import Evidence
from freqtrade_mem0.decide.vetoes import Vetoes
from freqtrade_mem0.risk.log import RiskLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.config.settings import CategorySettings
    from freqtrade_mem0.decide.decider import Answer, Proposal
    from freqtrade_mem0.insight.shrinkage import Shrinkage
    from freqtrade_mem0.journal.writer import Submitted
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.recall.priors import Prior
    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade
    from freqtrade_mem0.risk.damping import Damping
    from freqtrade_mem0.sizing.policy import Policy


class Parts(TypedDict, total=False):
    """What every session is made of; see `Session`."""

    origin: Origin
    recall: Recall
    policy: Policy
    applied: bool
    submit: Callable[[Submitted], None]
    categories: CategorySettings
    now: Callable[[], datetime]
    prior: Prior
    prior_of_differences: Shrinkage
    damping: Damping | None
    veto_below: float | None
    tell: Callable[[RiskEvent], None] | None
    window: int | None


class Session:
    """Answers proposals from what a recall knows.

    Freqtrade calls it from several threads; each call holds its lock for one trade or one decision.
    Nothing a callback needs reads a disk.

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
        Takes entries for the journal, or functions that give them; never blocks.
    categories
        Which categories are written.
    now
        Wall clock, for `recorded_at` only.
    prior
        What the strategy knows from the start.
    prior_of_differences
        What is assumed about how much situations differ.
    damping
        How much risk events damp; None for not at all.
    veto_below
        Refuse entries with a smaller multiplier; None for never.
    tell
        Takes risk events that are news, for the owner; never blocks.
    window
        How many trades the log of risk keeps; None for all.
    puts_off_risk
        Whether the log of risk may look at trades at the end; see `RiskLog`.
    """

    def __init__(
        self,
        *,
        origin: Origin,
        recall: Recall,
        policy: Policy,
        applied: bool,
        submit: Callable[[Submitted], None],
        categories: CategorySettings,
        now: Callable[[], datetime],
        prior: Prior,
        prior_of_differences: Shrinkage,
        damping: Damping | None = None,
        veto_below: float | None = None,
        tell: Callable[[RiskEvent], None] | None = None,
        window: int | None = None,
        puts_off_risk: bool = False,
    ) -> None:
        self.origin = origin
        self.recall = recall
        self.applied = applied
        self._submit = submit
        self._categories = categories
        self._now = now
        self._prior = prior
        # Freqtrade's REST server force-exits in a thread of its own.
        self._lock = threading.RLock()
        self._risk = RiskLog(
            origin=origin,
            keep=self._keep,
            now=now,
            damping=damping,
            applied=applied,
            tell=tell,
            window=window,
            puts_off=puts_off_risk,
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
        self._twins: dict[tuple[str, str, datetime], str] = {}
        """Record ids of the prior's trades, by what tells an entry."""
        self._restore_prior()

    def answer(self, proposal: Proposal) -> Answer:
        """Return what memory makes of a proposed stake. Writes nothing."""
        with self._lock:
            self._learn_closed()
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
            self._learn_closed()
            self._risk.until(moment)
            return self._risk.leverage_factor(moment, pair)

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
                self._await_fill(answer)
                self._submit(answer.decision)
            elif self._vetoes.is_news(answer.proposal):
                self._submit(answer.decision)
            return answer

    def _learn_closed(self) -> None:
        """Take in what was closed since the last call, where nobody tells."""

    def _await_fill(self, answer: Answer) -> None:
        """Keep the answer to an entry until its trade is there."""

    def _keep(self, record: Record) -> None:
        if self._is_kept(record):
            self._submit(record)

    def _is_kept(self, record: Record) -> bool:
        return bool(getattr(self._categories, record.category))

    def _restore_prior(self) -> None:
        for record in self._prior.trades:
            self.recall.add(record, self._prior.discount)
        self._twins = {entry_of(record): record.id for record in self._prior.trades}

    def _learn(self, record: ClosedTrade) -> None:
        """Let recall count an own trade, and the prior's record of the same trade no more."""
        if self._twins:
            twin = self._twins.pop(entry_of(record), None)
            if twin is not None:
                self.recall.remove(twin)
        self.recall.add(record)


def entry_of(record: ClosedTrade) -> tuple[str, str, datetime]:
    """Return what tells an entry of a strategy: pair, side, open date."""
    return record.pair, record.side, record.open_date
