"""A decision as JSON has it."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.views.values import iso

if TYPE_CHECKING:
    from freqtrade_mem0.records.decision import Decision


def decision_facts(decision: Decision) -> dict[str, Any]:
    """Return all that a decision says."""
    return {
        "trade_id": decision.trade_id,
        "pair": decision.pair,
        "side": decision.side,
        "enter_tag": decision.enter_tag,
        "decided_at": iso(decision.decided_at),
        "proposed_stake": decision.proposed_stake,
        "multiplier": decision.multiplier,
        "stake": decision.stake,
        "applied": decision.applied,
        "policy": decision.policy,
        "n_effective": decision.n_effective,
        "expected_ratio": decision.expected_ratio,
        "reasons": [asdict(reason) | {"text": reason.words} for reason in decision.reasons],
        "situation": dict(decision.situation),
    }
