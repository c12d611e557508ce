"""Keeps the decisions of an agent, each once, and the results it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.agents.said import Said, read_said
from freqtrade_mem0.agents.signal import named_strategy, read_signal
from freqtrade_mem0.client.told_note import checked_strategy
from freqtrade_mem0.core_memory.outcomes import Outcomes, StoredCandles
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import from_ms, record_id, to_ms
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from freqtrade_mem0.records.kinds.agent_outcome import NONE, RESULT, AgentOutcome, outcome_id
from freqtrade_mem0.records.limits import EARLIEST
from freqtrade_mem0.records.mapping import CLOCK_SKEW
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from freqtrade_mem0.client.mem0_client import Mem0Client

_SAME = timedelta(hours=1)
"""How long the same words without an id and a time are the same decision."""


class DecisionLog:
    """The log of one agent. Safe to share between threads and processes.

    Parameters
    ----------
    client
        The memory.
    agent_id
        The agent.
    candles
        Where Freqtrade has stored candles.
    pairs
        Returns the pairs that memory knows.
    now
        Returns the time, aware UTC.
    """

    def __init__(
        self,
        client: Mem0Client,
        agent_id: str,
        candles: StoredCandles,
        pairs: Callable[[], Sequence[str]],
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._agent_id = agent_id
        self._outcomes = Outcomes(client.folder.journal, client.user_id, candles)
        self._pairs = pairs
        self._now = now

    def log(self, decision: Mapping[str, Any] | str, result: Any = None) -> str:
        """Keep a decision, and what came of it where that is known; return its id.

        The same decision is kept once: that with the same `id`, else with the same words and
        `timestamp`, else with the same words within an hour. A decision does not change: what is
        said differently under the same `id` is not kept. Its outcome is filled in later, see
        `Outcomes`; a result can also be told later, with the same decision or id.

        Parameters
        ----------
        decision
            What was decided: `symbol`, `action`, `confidence`, `reason`, `price`, `stop_loss`,
            `take_profit`, `due` or `horizon_hours`, `strategy`, `timestamp`, `id`, and whatever
            else the agent wants to keep; or the id of a kept decision, to tell its result.
        result
            What came of it: a mapping with `pnl`, `profit_pct`, `profit_ratio` or `exit_price`
            where it is known, and `status`; any other value is kept as a note.

        Raises
        ------
        RecordError
            It is no mapping, can not be kept, lies in the future, or there is no such decision.
        JournalError
            The journal can not be written; nothing is kept.
        """
        if isinstance(decision, str):
            kept = self._named(decision)
        else:
            kept = self._kept(decision, has_result=result is not None)
        if result is not None:
            self._client.append(self._told(kept, result))
        return kept.id

    def resolve(self) -> int:
        """Fill in the outcomes that are known by now; return how many are new."""
        return self._outcomes.resolve(self._now(), lambda found: self._client.append(*found))

    def _named(self, name: str) -> AgentDecision:
        journal = self._client.folder.journal
        for each in (name, self._id_of(name)):
            found = journal.record_of(AgentDecision, each)
            if found is not None and self._reaches(found):
                return found
        raise RecordError(f"There is no decision with the id {brief(name)}.")

    def _kept(self, given: Any, *, has_result: bool) -> AgentDecision:
        said, now = read_said(given, "decision"), self._now()
        decided_at = said.moment("decided_at")
        if decided_at is not None and decided_at > now + CLOCK_SKEW:
            raise RecordError(
                f"The decision's time, {decided_at.isoformat()}, lies in the future. A time "
                "without a zone is taken as UTC."
            )
        draft = self._draft(given, said, max(decided_at or now, EARLIEST), now)
        journal = self._client.folder.journal
        for name in self._ids(said, decided_at, now):
            found = journal.record_of(AgentDecision, name)
            if (
                found is not None
                and self._reaches(found)
                and (said.text("id") or _is_same(found, draft, decided_at))
            ):
                return found
            draft = replace(draft, id=name)
        if has_result and not said.text("id") and (earlier := self._open_one(draft)) is not None:
            return earlier
        self._client.append(draft)
        return draft

    def _reaches(self, kept: AgentDecision) -> bool:
        """Return whether the client reaches a decision; else it is as if it were not there."""
        reach, origin = self._client.reach, kept.origin
        return (
            origin.user_id == self._client.user_id
            and reach.strategy in {None, origin.strategy}
            and reach.run_id in {None, origin.run_id}
        )

    def _ids(self, said: Said, decided_at: datetime | None, now: datetime) -> list[str]:
        """Return the ids under which the decision may be kept; a new one gets the last of them."""
        if name := said.text("id"):
            return [self._id_of(name)]
        if decided_at is not None:
            return [self._id_of(said.content_hash, to_ms(decided_at))]
        hour = to_ms(now) // int(_SAME.total_seconds() * 1_000)
        return [self._id_of(said.content_hash, each) for each in (hour - 1, hour)]

    def _open_one(self, draft: AgentDecision) -> AgentDecision | None:
        """Return the newest decision of the same words whose outcome is not known, or None."""
        journal = self._client.folder.journal
        scope = Scope(user_id=self._client.user_id, run_id=self._agent_id)
        found = None
        for each in journal.of_kind(AgentDecision, scope):
            if each.content_hash == draft.content_hash:
                found = each
        outcome = None if found is None else journal.record_of(AgentOutcome, outcome_id(found.id))
        return None if outcome is not None and outcome.is_resolved else found

    def _id_of(self, *identity: str | int) -> str:
        return record_id("agent_decision", self._client.user_id, self._agent_id, *identity)

    def _draft(
        self, given: Mapping[Any, Any], said: Said, decided_at: datetime, now: datetime
    ) -> AgentDecision:
        signal = read_signal(given, self._pairs(), (), ())
        side = signal.side if signal.action else ""
        due_at = said.moment("due_at")
        if due_at is None and side:
            default_h = self._client.folder.settings.agents.due_hours
            default = None if default_h is None else timedelta(hours=default_h)
            span = said.horizon() or default
            due_at = None if span is None else from_ms(to_ms(decided_at + span))
        origin = replace(self._client.manual_origin(_strategy(given)), run_id=self._agent_id)
        return AgentDecision(
            id="",
            origin=origin,
            known_at=decided_at,
            recorded_at=now,
            action=signal.action,
            pair=signal.pair,
            side=side,
            reason=said.text("reason"),
            content_hash=said.content_hash,
            confidence=said.number("confidence"),
            rate=said.number("rate", least=0.0, most=1e18),
            stop_rate=said.number("stop_rate", least=0.0, most=1e18),
            target_rate=said.number("target_rate", least=0.0, most=1e18),
            due_at=due_at,
            timeframe=said.text("timeframe"),
            said=said.flat,
        )

    def _told(self, decision: AgentDecision, result: Any) -> AgentOutcome:
        given = result if isinstance(result, Mapping) and result else {"result": result}
        said, now = read_said(given, "result"), self._now()
        ratio = said.ratio(decision.side, decision.rate)
        profit = said.number("profit_abs", least=-1e18, most=1e18)
        return AgentOutcome(
            id=outcome_id(decision.id),
            origin=decision.origin,
            known_at=now,
            recorded_at=now,
            decision_id=decision.id,
            source=NONE if ratio is None and profit is None else RESULT,
            pair=decision.pair,
            action=decision.action,
            profit_ratio=ratio,
            profit_abs=profit,
            told_ratio=ratio,
            was_executed=said.was_executed,
            said=said.flat,
        )


def _is_same(found: AgentDecision, draft: AgentDecision, decided_at: datetime | None) -> bool:
    """Return whether the same words are the same decision: told with their time, or soon after."""
    if decided_at is not None or found.content_hash != draft.content_hash:
        return found.content_hash == draft.content_hash
    return draft.recorded_at - found.recorded_at <= _SAME


def _strategy(given: Mapping[Any, Any]) -> str | None:
    """Return the strategy of a decision as Mem0 can keep it; None where none is named."""
    named = named_strategy(given)
    return None if named is None else checked_strategy("-".join(named.split()))


def checked_agent(agent_id: object) -> str:
    """Return the name of an agent; raise `RecordError` where Mem0 can not keep it as a scope."""
    if not isinstance(agent_id, str) or any(map(str.isspace, agent_id)) or agent_id == "*":
        raise RecordError(
            f"agent_id must be a name without blanks (a rule of Mem0), got {brief(agent_id)}. "
            "Write, for example, 'trader_001'."
        )
    return agent_id
