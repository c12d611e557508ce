"""Answers a proposed stake: gathers what is known, asks the policy, applies risk and limits.

A trading callback waits for the answer, so it is computed in microseconds. The explanation costs
more than the answer; the journal's writer builds it later.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import record_id, to_ms
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.sizing.limits import within_limits

if TYPE_CHECKING:
    from freqtrade_mem0.decide.known import EvidenceReader
    from freqtrade_mem0.decide.proposal import Proposal
    from freqtrade_mem0.decide.vetoes import Vetoes
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.decision import Reason
    from freqtrade_mem0.risk.log import RiskLog
    from freqtrade_mem0.sizing.policy import Policy, Wish


class Answer:
    """Memory's answer to a proposal; `decision` returns it as a record, with its reasons.

    Parameters
    ----------
    origin
        The run.
    proposal
        The proposed stake and its situation.
    wish
        What the policy wants.
    policy
        The policy's name.
    multiplier
        Stake multiplier after risk damping, inside the bounds.
    stake
        After the limits of exchange and wallet, in stake currency.
    applied
        False in shadow mode: the trade gets the proposed stake.
    n_known
        Time-decayed number of the strategy's known trades.
    reasons
        Reasons beside those of the policy.
    is_vetoed
        Whether the entry is refused.
    """

    __slots__ = (
        "_decision",
        "_id",
        "_n_asked",
        "_n_known",
        "_origin",
        "_policy",
        "_reasons",
        "_wish",
        "applied",
        "is_vetoed",
        "multiplier",
        "proposal",
        "stake",
    )

    def __init__(
        self,
        origin: Origin,
        proposal: Proposal,
        wish: Wish,
        *,
        policy: str,
        multiplier: float,
        stake: float,
        applied: bool,
        n_known: float,
        reasons: tuple[Reason, ...],
        is_vetoed: bool,
    ) -> None:
        self._origin = origin
        self._policy = policy
        self.proposal = proposal
        self._wish = wish
        self.multiplier = multiplier
        self.stake = stake
        self.applied = applied
        self._n_known = n_known
        self._reasons = reasons
        self.is_vetoed = is_vetoed
        self._decision: Decision | None = None
        self._id: str | None = None
        self._n_asked = 1

    @property
    def id(self) -> str:
        """Record id of the decision."""
        if self._id is None:
            proposal, origin = self.proposal, self._origin
            self._id = record_id(
                "decision",
                origin.user_id,
                origin.strategy,
                origin.mode,
                origin.run_id,
                proposal.pair,
                proposal.side,
                to_ms(proposal.moment),
            )
        return self._id

    @property
    def is_repeated(self) -> bool:
        """Whether Freqtrade asked before within the candle."""
        return self._n_asked > 1

    def repeat(self, earlier: Decision) -> None:
        """Count as the same decision as an earlier one, whose entry came to nothing."""
        self._id, self._n_asked, self._decision = earlier.id, earlier.n_asked + 1, None

    def decision(self) -> Decision:
        """Return the answer as a record for the ledger; built once, at the first call."""
        if self._decision is None:
            self._decision = self._as_decision()
        return self._decision

    def _as_decision(self) -> Decision:
        proposal = self.proposal
        return Decision(
            id=self.id,
            origin=self._origin,
            decided_at=proposal.moment,
            pair=proposal.pair,
            side=proposal.side,
            enter_tag=proposal.enter_tag,
            proposed_stake=proposal.stake,
            multiplier=self.multiplier,
            stake=self.stake,
            applied=self.applied,
            policy=self._policy,
            n_effective=self._n_known,
            reasons=(*self._wish.reasons, *self._reasons),
            situation=proposal.situation,
            expected_ratio=self._wish.expected_ratio,
            n_asked=self._n_asked,
        )


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
    vetoes
        Refuses entries.
    applied
        False in shadow mode: answers say what would be done.
    """

    def __init__(
        self,
        *,
        origin: Origin,
        evidence: EvidenceReader,
        policy: Policy,
        risk: RiskLog,
        vetoes: Vetoes,
        applied: bool,
    ) -> None:
        self._origin = origin
        self._evidence = evidence
        self._policy = policy
        self._risk = risk
        self._vetoes = vetoes
        self._applied = applied

    def answer(self, proposal: Proposal) -> Answer:
        """Return the answer to a proposal, from trades known strictly before its moment."""
        known = self._evidence.for_entry(
            strategy=self._origin.strategy,
            pair=proposal.pair,
            side=proposal.side,
            enter_tag=proposal.enter_tag,
            moment=proposal.moment,
            situation=proposal.situation,
        )
        wish = self._policy(known)
        multiplier, risks = self._risk.damp(wish.multiplier, proposal.moment, proposal.pair)
        stake, limits = within_limits(
            proposal.stake,
            proposal.stake * multiplier,
            proposal.min_stake,
            proposal.max_stake,
            proposal.free_slots,
        )
        vetoed = self._vetoes.reasons(multiplier)
        return Answer(
            self._origin,
            proposal,
            wish,
            policy=self._policy.name,
            multiplier=multiplier,
            stake=stake,
            applied=self._applied,
            n_known=known.strategy.moments.n,
            reasons=(*risks, *limits, *vetoed),
            is_vetoed=bool(vetoed),
        )
