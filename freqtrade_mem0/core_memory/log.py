"""The log of agents: what they decided, what became of it, and what is not known yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.lessons import add_lessons
from freqtrade_mem0.journal.paging import PAGE_ROWS
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from freqtrade_mem0.records.kinds.agent_outcome import AgentOutcome
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.words.plain import Facts, iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.memory_folder import MemoryFolder


def agent_log(
    memory: MemoryFolder,
    user_id: str,
    *,
    agent: str | None = None,
    only_open: bool = False,
    limit: int | None = None,
) -> list[Facts]:
    """Return the decisions of agents with their outcomes, by the time at which they were made.

    Parameters
    ----------
    memory
        The memory.
    user_id
        Its owner.
    agent
        Only this agent's; None for all.
    only_open
        Only those whose outcome is not known.
    limit
        The newest; None for all.

    Returns
    -------
    list of dict
        `state` is `resolved`, `open`, `not executed` (an order was refused, as the agent says) or
        `no trade` (it opens none). `is_hindsight` tells of a decision that was logged after its
        outcome was known. `outcome` has `source` (`trade`, `result` or `candles`), `profit_ratio`,
        `told_ratio` (what the agent said), `is_disputed`, `trade` (how the bot's trade went), and
        more; None where nothing is known.
        `lesson` says what was expected and what came.
    """
    rows = [decision_facts(*each) for each in _decisions(memory, user_id, agent)]
    add_trades(memory.journal, rows)
    add_lessons(rows)
    if only_open:
        rows = [row for row in rows if row["state"] == "open"]
    rows.sort(key=lambda row: (row["decided_at"], row["id"]))
    return rows if limit is None else rows[-limit:]


def n_unresolved(memory: MemoryFolder, user_id: str) -> int:
    """Return how many decisions of agents have no outcome yet."""
    found = _decisions(memory, user_id, None)
    return sum(state_of(decision, outcome) == "open" for decision, outcome in found)


def state_of(decision: AgentDecision, outcome: AgentOutcome | None) -> str:
    """Return whether an outcome is known, see `agent_log`."""
    if not decision.side or not decision.pair:
        return "no trade"
    if outcome is None or not outcome.is_resolved:
        return "open"
    return "resolved" if outcome.was_executed else "not executed"


def _decisions(
    memory: MemoryFolder, user_id: str, agent: str | None
) -> Iterator[tuple[AgentDecision, AgentOutcome | None]]:
    scope = Scope(user_id=user_id, run_id=agent)
    outcomes = {each.decision_id: each for each in memory.journal.of_kind(AgentOutcome, scope)}
    for decision in memory.journal.of_kind(AgentDecision, scope):
        yield decision, outcomes.get(decision.id)


def add_trades(journal: Journal, rows: Iterable[Facts]) -> None:
    """Set `trade` in the outcomes that a bot's trade told: how long, which exit, slippage."""
    of_trades = {
        row["outcome"]["trade_id"]: row["outcome"]
        for row in rows
        if row["outcome"] is not None and row["outcome"]["trade_id"]
    }
    seqs = [seq for seq, _ in journal.evidence.of_ids(of_trades)]
    for start in range(0, len(seqs), PAGE_ROWS):
        for trade in journal.records_at(seqs[start : start + PAGE_ROWS]).values():
            if isinstance(trade, TradeRecord):
                seen = trade.execution
                of_trades[trade.id]["trade"] = {
                    "open_date": iso(trade.open_date),
                    "close_date": iso(trade.close_date),
                    "exit_reason": trade.exit_reason,
                    "entry_slippage": None if seen is None else seen.entry_slippage,
                    "exit_slippage": None if seen is None else seen.exit_slippage,
                }


def decision_facts(decision: AgentDecision, outcome: AgentOutcome | None) -> Facts:
    """Return a decision and what became of it, without its lesson; see `agent_log`."""
    known_at = None if outcome is None or not outcome.is_resolved else outcome.known_at
    return {
        "id": decision.id,
        "agent": decision.origin.run_id,
        "strategy": decision.origin.strategy,
        "decided_at": iso(decision.known_at),
        "recorded_at": iso(decision.recorded_at),
        "action": decision.action,
        "pair": decision.pair,
        "side": decision.side,
        "confidence": decision.confidence,
        "reason": decision.reason,
        "rate": decision.rate,
        "stop_rate": decision.stop_rate,
        "target_rate": decision.target_rate,
        "due_at": iso(decision.due_at),
        "state": state_of(decision, outcome),
        "is_hindsight": known_at is not None and decision.recorded_at > known_at,
        "outcome": None if outcome is None else _outcome_facts(outcome),
        "said": dict(decision.said),
    }


def _outcome_facts(outcome: AgentOutcome) -> Facts:
    return {
        "source": outcome.source,
        "profit_ratio": outcome.profit_ratio,
        "profit_abs": outcome.profit_abs,
        "told_ratio": outcome.told_ratio,
        "is_disputed": outcome.is_disputed,
        "trade_id": outcome.trade_id,
        "trade": None,
        "known_at": iso(outcome.known_at),
        "text": outcome.sentence(),
        "said": dict(outcome.said),
    }
