"""The tools that keep something. What they keep is labelled, and never evidence for a stake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.agents.notes import add_note
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.mcp_server.tool import NUMBER, OBJECT, SWITCH, TEXT, Tool
from freqtrade_mem0.records.base import Category

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.agents import AgentMemory
    from freqtrade_mem0.views.values import Facts

_KEPT = {"id": TEXT, "origin": TEXT, "counts_as_evidence": SWITCH}


def _log_decision(memory: AgentMemory, given: Mapping[str, Any]) -> Facts:
    told = dict(given)
    result, name = told.pop("result", None), told.get("id")
    if "symbol" in told and "action" in told:
        return _kept(memory, memory.log_decision(told, result))
    if name is None or result is None or told.keys() != {"id"}:
        raise RecordError(
            "log_decision needs symbol and action; or, to tell what came of a kept decision, its "
            "id and result alone."
        )
    return _kept(memory, memory.log_decision(name, result))


def _add_note(memory: AgentMemory, given: Mapping[str, Any]) -> Facts:
    names = ("pair", "strategy")
    own = {name: given[name] for name in names if name in given}
    category = given.get("category", Category.LEARNING_INSIGHTS)
    return _kept(
        memory, add_note(memory.client, f"agent {memory.agent_id}", category, given["text"], own)
    )


def _kept(memory: AgentMemory, record_id: str) -> Facts:
    return {"id": record_id, "origin": f"agent {memory.agent_id}", "counts_as_evidence": False}


WRITING = (
    Tool(
        name="log_decision",
        description="Keep what you decided and why, once per id. The outcome comes by itself, from "
        "a bot's trade or from candles; or tell it later with id and result.",
        arguments={
            "id": {**TEXT, "description": "Your own id"},
            "symbol": TEXT,
            "action": {**TEXT, "description": "BUY, SELL, HOLD, ..."},
            "confidence": NUMBER,
            "reason": TEXT,
            "price": NUMBER,
            "stop_loss": NUMBER,
            "take_profit": NUMBER,
            "horizon_hours": NUMBER,
            "strategy": TEXT,
            "result": {**OBJECT, "description": "status, and profit_pct, pnl or exit_price"},
        },
        answer=_KEPT,
        writes=True,
        is_open=True,
        run=_log_decision,
    ),
    Tool(
        name="add_note",
        description="Keep an observation or lesson in words, once per text.",
        arguments={
            "text": {**TEXT, "maxLength": 4_000},
            "category": {**TEXT, "enum": list(map(str, Category))},
            "pair": TEXT,
            "strategy": TEXT,
        },
        required=("text",),
        answer=_KEPT,
        writes=True,
        run=_add_note,
    ),
)
