"""Trades, risk events and market conditions: told, listed and explained."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from pydantic import BaseModel, Field

from freqtrade_mem0.client.scoped import ScopedClient
from freqtrade_mem0.client.trade_memory import TradeMemory
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.service.caller import Reader, Writer
from freqtrade_mem0.service.problems import documented, problem

router = APIRouter(tags=["trades"])

_TRADE = {
    "trade_id": "TRD_001",
    "asset": "BTC/USDT",
    "action": "BUY",
    "entry_price": 43_000,
    "exit_price": 43_500,
    "pnl": 250,
    "strategy": "MyStrategy",
    "duration_minutes": 45,
}

Limit = Annotated[int, Query(ge=1, le=1_000, description="Most rows, the newest.")]


class Listed(BaseModel):
    """Which rows a listing has."""

    strategy: str | None = None
    mode: Mode | None = None
    run_id: str | None = None
    pair: str | None = None
    where: str | None = Field(
        None, description="A query without free words, as in `pair:BTC* AND profit:>10.0`."
    )
    limit: Limit = 100

    def scope(self, memory: ScopedClient, kind: str | None = None) -> Scope:
        """Return the rows in reach of a client."""
        return memory.scope(
            strategy=self.strategy, mode=self.mode, run_id=self.run_id, pair=self.pair, kind=kind
        )


class MarketCondition(BaseModel):
    """A market condition in words."""

    condition: str = Field(min_length=1, examples=["uptrend"])
    description: str = Field(min_length=1, examples=["higher lows since Monday"])
    metadata: dict[str, Any] | None = Field(None, description="Own values.")


class RiskEventTold(BaseModel):
    """A risk event."""

    event_type: str | None = Field(None, examples=["liquidation_warning"])
    description: str | None = Field(None, examples=["15 % above the liquidation price"])
    impact: float | str | None = Field(
        None, description="Profit ratio lost (negative), or a sentence.", examples=["High"]
    )
    strategy: str | None = None
    pair: str = ""


@router.post("/api/memory/record-trade")
def record_trade(
    caller: Writer,
    trade: Annotated[
        dict[str, Any],
        Body(
            description="`pair` (or `asset`) and what else is known of a closed trade, under our "
            "names or those of docs/reference/words.md.",
            examples=[_TRADE],
        ),
    ],
) -> dict[str, Any]:
    """Record a closed trade; it survives the end of the process once this has answered."""
    record_id = TradeMemory(caller.memory).record_trade(trade)
    named = trade.get("trade_id") or record_id
    return {"status": "success", "message": f"Trade {named} recorded", "id": record_id}


@router.post("/api/memory/record-market-condition")
def record_market_condition(caller: Writer, told: MarketCondition) -> dict[str, Any]:
    """Record a market condition in words."""
    record_id = TradeMemory(caller.memory).record_market_condition(
        told.condition, told.description, told.metadata
    )
    return {"status": "success", "id": record_id}


@router.post("/api/memory/record-risk-event")
def record_risk_event(
    caller: Writer,
    event_type: str | None = None,
    description: str | None = None,
    impact: str | None = None,
    told: RiskEventTold | None = None,
) -> dict[str, Any]:
    """Record a risk event, told in the body or in the address."""
    told = told or RiskEventTold(event_type=None)
    kind, text = told.event_type or event_type, told.description or description
    if kind is None or text is None:
        raise RecordError("A risk event needs event_type and description, and may have an impact.")
    record_id = TradeMemory(caller.memory).record_risk_event(
        kind,
        text,
        impact if told.impact is None else told.impact,
        strategy=told.strategy,
        pair=told.pair,
    )
    return {"status": "success", "id": record_id}


@router.get("/api/memory/strategy-performance/{strategy}")
def strategy_performance(
    caller: Reader, strategy: str, limit: Limit = 20, run_id: str | None = None
) -> dict[str, Any]:
    """Return the newest trades of a strategy, and what they say about it."""
    memory = TradeMemory(caller.memory)
    return {
        "strategy": strategy,
        "memories": memory.recall_strategy_performance(strategy, limit=limit, run_id=run_id),
        "insights": memory.get_strategy_insights(strategy, run_id=run_id),
    }


@router.get("/api/records")
def records(
    caller: Reader, asked: Annotated[Listed, Query()], kind: str | None = None
) -> list[dict[str, Any]]:
    """Return the newest records, in order of arrival."""
    memory = caller.memory
    return memory.listing(asked.scope(memory, kind), asked.limit, asked.where)


@router.get("/api/ledger")
def ledger(caller: Reader, asked: Annotated[Listed, Query()]) -> list[dict[str, Any]]:
    """Return the newest sizing decisions with their outcomes, by market time."""
    memory = caller.memory
    return memory.ledger(asked.scope(memory), asked.limit, asked.where)


@router.get("/api/why/{id}", responses=documented(404))
def why(caller: Reader, id: str) -> Any:  # noqa: A002 - the name in the address
    """Explain a decision by the first characters of its id, or of its trade's."""
    try:
        return caller.memory.why(id)
    except RecordError as error:
        return problem(404, str(error))
