"""Answers a proposed stake: gathers what is known, asks the policy, applies risk and limits.

A trading callback waits for the answer, so it is computed in microseconds. The explanation costs
more than the answer; the journal's writer builds it later.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache, partial
from operator import is_
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.decide.learned import LearnedRules
from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.decide.vetoes import Vetoes
from freqtrade_mem0.insight.shrinkage import EntryGroup, Moments
from freqtrade_mem0.insight.standing import Standing
from freqtrade_mem0.records.base import Origin, as_utc, from_ms, record_ids
from freqtrade_mem0.records.decision import AccountState, Decision, Reason
from freqtrade_mem0.risk.log import RiskLog
from freqtrade_mem0.sizing.guard import Guarded, reads_levels, unguarded
from freqtrade_mem0.sizing.limits import within_limits
from freqtrade_mem0.sizing.policies.split import Split
from freqtrade_mem0.sizing.policy import Known, Policy, Wish

if TYPE_CHECKING:
    from freqtrade_mem0.insight.response import Response

Whole = Callable[[], tuple[Moments, float]] | tuple[Moments, float]
"""Moments of all known trades, and how many are other machines'; or what returns them later."""


# Not frozen: a frozen dataclass takes three times as long to make.
@dataclass(slots=True, eq=False)
class Answer:
    """Memory's answer to a proposal; `decision` returns it as a record. Treat it as immutable.

    Parameters
    ----------
    origin
        The run.
    proposal
        The proposed stake and its situation.
    wish
        What the policy wants.
    policy
        Who wants it.
    multiplier
        Stake multiplier after risk damping, inside the bounds.
    stake
        After the limits of exchange and wallet, in stake currency.
    applied
        False in shadow mode: the trade gets the proposed stake.
    whole
        Moments of the strategy's known trades, and how many of them are other machines'; or a
        function that returns these, called once the explanation is built.
    reasons
        Reasons beside those of the policy, or functions that return one.
    is_vetoed
        Whether the entry is refused.
    account
        Memory's account; None where the policy keeps none.
    """

    origin: Origin
    proposal: Proposal
    wish: Wish
    policy: Policy
    multiplier: float
    stake: float
    applied: bool
    whole: Whole
    reasons: tuple[Reason | Callable[[], Reason], ...]
    is_vetoed: bool
    account: Standing | None = None
    _decision: Decision | None = field(default=None, init=False)
    _id: str | None = field(default=None, init=False)
    _n_asked: int = field(default=1, init=False)

    @property
    def id(self) -> str:
        """Record id of the decision."""
        if self._id is None:
            proposal = self.proposal
            numbered = _decision_ids(self.origin, proposal.pair, proposal.side)
            self._id = numbered(proposal.moment_ms)
        return self._id

    @property
    def is_repeated(self) -> bool:
        """Whether Freqtrade asked before within the candle."""
        return self._n_asked > 1

    def repeat(self, earlier: Decision) -> None:
        """Count as the same decision as an earlier one, whose entry was not filled."""
        self._id, self._n_asked, self._decision = earlier.id, earlier.n_asked + 1, None

    def decision(self) -> Decision:
        """Return the answer as a record for the ledger; built once, at the first call."""
        if self._decision is None:
            proposal, whole = self.proposal, self.whole
            moments, n_foreign = whole() if callable(whole) else whole
            others = _foreign(n_foreign, self.policy) if n_foreign > 0.0 else ()
            own = [each() if callable(each) else each for each in self.reasons]
            self._decision = Decision(
                id=self.id,
                origin=self.origin,
                decided_at=as_utc(proposal.moment),
                pair=proposal.pair,
                side=proposal.side,
                enter_tag=proposal.enter_tag,
                proposed_stake=proposal.stake,
                multiplier=self.multiplier,
                stake=self.stake,
                applied=self.applied,
                policy=self.policy.name,
                n_effective=moments.n_effective,
                reasons=(*self.wish.reasons, *others, *own),
                situation=proposal.features,
                expected_ratio=self.wish.expected_ratio,
                n_asked=self._n_asked,
                account=None if self.account is None else _STATES.of(self.account),
            )
        return self._decision


@dataclass(slots=True, kw_only=True, eq=False)
class Decider:
    """Answers the proposals of one run. It only reads memory.

    Parameters
    ----------
    origin
        The run.
    evidence
        Reads what is known about an entry.
    policy
        Turns what is known into a stake multiplier.
    risk
        Reduces the multiplier after risk events.
    rules
        Learned rules; they act on the policy's multiplier.
    vetoes
        Refuses entries.
    applied
        False in shadow mode: answers say what would be done.
    puts_off
        Whether an explanation is built in the thread that asks, and may read memory then.
    """

    origin: Origin
    evidence: EvidenceReader
    policy: Policy
    risk: RiskLog
    rules: LearnedRules
    vetoes: Vetoes
    applied: bool
    puts_off: bool = False
    _lone: tuple[Guarded, Split] | None = field(init=False)
    """The policy `split` where it follows `response` alone, and its guard."""

    def __post_init__(self) -> None:
        guard, own = self.policy, unguarded(self.policy)
        self._lone = None
        if isinstance(guard, Guarded) and isinstance(own, Split) and own.lone_response is not None:
            self._lone = guard, own

    def answer(self, proposal: Proposal) -> Answer:
        """Return the answer to a proposal, from trades known strictly before its moment."""
        wish: Wish | None = None
        if self._lone is not None and not self.rules.rules:
            wish, whole, account = self._with_lone_response(self._lone, proposal)
        if wish is None:
            known = self._known(proposal)
            wish, account = self.policy(known), known.account
            whole = known.strategy.moments, known.n_foreign
        multiplier: float = wish.multiplier
        learned: tuple[Reason, ...] = ()
        if self.rules.rules:
            multiplier, learned = self.rules.apply(wish, proposal, self.risk.open_types)
        multiplier, risks = self.risk.damp(multiplier, proposal.moment, proposal.pair)
        stake, limits = within_limits(
            proposal.stake,
            proposal.stake * multiplier,
            proposal.min_stake,
            proposal.max_stake,
            proposal.free_slots,
        )
        vetoed = self.vetoes.reasons(multiplier)
        leverage: tuple[Reason, ...] = ()
        if self.applied and ":" in proposal.pair:  # spot has no leverage
            leverage = self._leverage(proposal)
        return Answer(
            self.origin,
            proposal,
            wish,
            self.policy,
            multiplier,
            stake,
            self.applied,
            whole,
            (*learned, *(each.reason for each in risks), *leverage, *limits, *vetoed),
            bool(vetoed),
            account,
        )

    def _known(self, proposal: Proposal) -> Known:
        return self.evidence.for_entry(
            strategy=self.origin.strategy,
            pair=proposal.pair,
            side=proposal.side,
            enter_tag=proposal.enter_tag,
            moment=proposal.moment,
            situation=proposal.features,
        )

    def _with_lone_response(
        self, lone: tuple[Guarded, Split], proposal: Proposal
    ) -> tuple[Wish | None, Whole, Standing | None]:
        """Return what the default policy wants, with as little work as its multiplier needs.

        Its reasons are those of the policy itself, asked later. No wish where its guard would act.
        """
        guard, split = lone
        now_ms, evidence = proposal.moment_ms, self.evidence
        volatility, _ = proposal.movement()
        if not isinstance(volatility, float):
            volatility = 0.0
        response, account = evidence.account_at(now_ms, volatility)
        whole = (evidence.whole_later if self.puts_off else evidence.whole_kept)(now_ms)
        if account is None:
            return None, whole, account
        multiplier, said, moved = split.with_lone_response(response, account)
        if not guard.min_multiplier <= multiplier <= guard.max_multiplier:
            return None, whole, account
        evidence.note(now_ms, volatility, said, moved, account)
        reasons = partial(self.lone_reasons, multiplier, response, account, whole)
        return Wish(multiplier=multiplier, reasons=reasons), whole, account

    def lone_reasons(
        self, multiplier: float, response: Response, account: Standing, whole: Whole
    ) -> Sequence[Reason]:
        """Return the reasons of the default policy for what its guard made of its multiplier."""
        assert self._lone is not None  # noqa: S101 - for mypy
        guard, split = self._lone
        moments, _ = whole() if callable(whole) else whole
        group = EntryGroup("strategy", self.origin.strategy, moments)
        words = partial(split.lone_reasons, group, response, account)
        wanted, _, _ = split.with_lone_response(response, account)
        return guard.explained_later(Wish(multiplier=wanted, reasons=words), multiplier)

    def _leverage(self, proposal: Proposal) -> tuple[Reason, ...]:
        """Return what the callback `leverage` did to the entry before; it moves no stake."""
        factor = self.risk.leverage_factor(proposal.moment, proposal.pair)
        if factor >= 1.0:
            return ()
        text = f"risk events damp the leverage to {factor:.0%} of the strategy's, not below 1"
        return (Reason(name="leverage", text=text),)


def _foreign(n: float, policy: Policy) -> tuple[Reason, ...]:
    """Return what other machines' trades had to do with it; they are named, not weighed."""
    text = f"{n:.1f} of the known trades came from other machines through Mem0"
    if not reads_levels(policy):
        text += "; they move no stake"
    return (Reason(name="others", text=text, n_effective=n),)


@lru_cache
def _decision_ids(origin: Origin, pair: str, side: str) -> Callable[[int], str]:
    """Return what makes the ids of a run's decisions in a pair, from their moments."""
    own = origin.user_id, origin.strategy, origin.mode, origin.run_id
    return record_ids("decision", *own, pair, side)


class _States:
    """Turns memory's account into what decisions keep of it; those of a day share it."""

    def __init__(self) -> None:
        self._last: tuple[tuple[object, ...], AccountState] | None = None

    def of(self, account: Standing) -> AccountState:
        """Return the state of an account."""
        parts, last = account[:-1], self._last  # `room` is not in it
        if last is None or not all(map(is_, parts, last[0])):
            last = self._last = parts, _state(account)
        return last[1]


_STATES = _States()


def _state(account: Standing) -> AccountState:
    return AccountState(
        followed=account.weight,
        experts={name: share.weight for name, share in account.shares.items()},
        earned=account.earned,
        floor=account.floor,
        earned_ratio=account.earned_ratio,
        n_trades=account.n_trades,
        since=None if account.since_ms is None else from_ms(account.since_ms),
    )
