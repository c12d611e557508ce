"""Rules for stakes that an agent or a person proposes. Only the owner can approve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.mem0_client import MANUAL_STRATEGY
from freqtrade_mem0.client.told_trade import told_moment
from freqtrade_mem0.decide.rule_form import as_text, read_rule
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.codec import validated
from freqtrade_mem0.records.kinds.rule import Rule, rule_id
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.client.mem0_client import Mem0Client
    from freqtrade_mem0.decide.learned import LearnedRule

_ABOUT = ("strategy", "evidence", "data_until")
_MOST_EVIDENCE = 1_000


def read_proposal(given: Any) -> LearnedRule:
    """Return what a proposal says; raise `RecordError` where it breaks a rule."""
    if not isinstance(given, Mapping):
        raise RecordError(f"A rule must be a mapping of keys to values, got {brief(given)}.")
    rule = read_rule({key: value for key, value in given.items() if key not in _ABOUT}, "")
    strategy = given.get("strategy")
    if not isinstance(strategy, str) or not strategy.strip() or strategy == MANUAL_STRATEGY:
        raise RecordError(
            "strategy is the class name of the strategy that the rule is for, got "
            f"{brief(strategy)}."
        )
    evidence = given.get("evidence") or ()
    is_list = isinstance(evidence, Sequence) and not isinstance(evidence, str)
    if not is_list or len(evidence) > _MOST_EVIDENCE:
        raise RecordError(f"evidence is a list of at most {_MOST_EVIDENCE:,} record ids.")
    if given.get("data_until") is not None:
        told_moment("data_until", given["data_until"])
    return rule


def propose_rule(client: Mem0Client, agent_id: str, given: Any, now: datetime) -> str:
    """Keep a proposed rule; return its id. See `AgentMemory.propose_rule`."""
    rule, evidence = read_proposal(given), tuple(given.get("evidence") or ())
    origin = replace(client.manual_origin(given["strategy"]), run_id=agent_id)
    conditions = sorted({as_text(each) for each in rule.conditions})
    name = rule_id(origin, conditions, rule.scale, veto=rule.veto)
    if client.folder.journal.record_of(Rule, name) is None:
        values = {
            "id": name,
            "origin": origin,
            "known_at": now,
            "recorded_at": now,
            "conditions": tuple(conditions),
            "note": rule.note,
            "scale": rule.scale,
            "veto": rule.veto,
            "evidence": evidence,
            "data_until": _data_until(client, given.get("data_until"), evidence, now),
        }
        client.append(validated(Rule, values))
    return name


def _data_until(
    client: Mem0Client, said: Any, evidence: Sequence[str], now: datetime
) -> datetime | None:
    """Return up to when a rule's data go: as it is said, but not before its newest evidence."""
    if said is None:
        return None
    until = told_moment("data_until", said)
    for _, item in client.folder.journal.evidence.of_ids(map(str, evidence)):
        if isinstance(item, TradeEvidence):
            until = max(until, item.known_at)
    return min(until, now)
