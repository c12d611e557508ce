"""What trading agents ask and log. Memory places no orders."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from freqtrade_mem0.service.caller import Caller, Reader, Writer

router = APIRouter(tags=["agents"])

_SIGNAL = {"symbol": "BTC/USDT", "action": "BUY", "strategy": "MyStrategy", "confidence": 0.8}


class Logged(BaseModel):
    """A decision, and what came of it where that is known."""

    decision: dict[str, Any] | str = Field(
        description="What was decided; or the id of a logged decision, to tell its result.",
        examples=[_SIGNAL | {"reason": "breakout"}],
    )
    result: Any = Field(None, description="What came of it.", examples=[{"pnl": 12.5}])
    agent_id: str | None = Field(None, description="Name of the agent, without blanks.")


@router.post("/api/agent/analyze-signal")
def analyze_signal(
    caller: Reader,
    signal: Annotated[dict[str, Any], Body(examples=[_SIGNAL])],
    agent_id: str | None = None,
) -> dict[str, Any]:
    """Return what memory would make of an entry now; `problems` names what it could not read."""
    return caller.service.agent(caller.memory, agent_id).analyze_signal(_within(caller, signal))


@router.post("/api/agent/log-decision")
def log_decision(caller: Writer, told: Logged) -> dict[str, Any]:
    """Keep a decision of an agent; it is labelled as the agent's, and never evidence."""
    agent = caller.service.agent(caller.memory, told.agent_id)
    decision = told.decision
    if isinstance(decision, dict):
        decision = _within(caller, decision)
    return {"status": "success", "id": agent.log_decision(decision, told.result)}


def _within(caller: Caller, given: dict[str, Any]) -> dict[str, Any]:
    """Return a signal with the strategy that the key is bound to, where it names none."""
    bound = caller.identity.bound.strategy
    return given if bound is None else {"strategy": bound} | given
