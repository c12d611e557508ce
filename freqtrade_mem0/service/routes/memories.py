"""Memories as texts with metadata: stored, found, changed, deleted."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from freqtrade_mem0.client.conversation import Messages, conversation, numbers_in
from freqtrade_mem0.query.compile import is_like_a_query
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.service.caller import Caller, Reader, Writer
from freqtrade_mem0.service.problems import documented, problem

router = APIRouter(tags=["memories"])

_METRICS = {"profit": 12.5, "trades": 40, "win_rate": 0.55}
_METADATA = {
    "type": "backtest",
    "strategy": "MyStrategy",
    "timestamp": "2024-06-27T10:00:00Z",
    "metrics": _METRICS,
}
_CATEGORIES = {"backtest": Category.STRATEGY_PERFORMANCE, "live": Category.STRATEGY_PERFORMANCE}
"""Where a memory of a type is filed that names no category."""


class MemoryTold(BaseModel):
    """A conversation or text to remember."""

    messages: Messages = Field(
        description="Messages with `role` and `content`, one of them, or a text.",
        examples=[[{"role": "system", "content": "Backtest results for MyStrategy"}]],
    )
    metadata: dict[str, Any] | None = Field(
        None,
        description="Own values; nested ones are found under names with dots, as in "
        "`metrics.profit`. `type` is `backtest` (the result of a backtest that the caller ran), "
        "`live` (a report on live trading), `analysis` (a view or an observation), or a word of "
        "your own. `category` files it.",
        examples=[_METADATA],
    )
    user_id: str | None = Field(None, description="Whose memory; by default that of the key.")


class MemoryChanged(BaseModel):
    """What changes of a memory."""

    text: str | None = Field(None, description="The new text.")
    metadata: dict[str, Any] | None = Field(
        None, description="Values to replace; null takes one away."
    )


@router.post("/memory")
def add_memory(caller: Writer, told: MemoryTold) -> dict[str, Any]:
    """Remember a text. It counts as said, and never as evidence for a stake."""
    return stored(caller, told.user_id, conversation(told.messages), told.metadata or {})


@router.put("/memory/{id}", responses=documented(404))
def change_memory(caller: Writer, id: str, changed: MemoryChanged) -> Any:  # noqa: A002
    """Change a memory under the same id. What bots recorded may not change."""
    if caller.memory.update(id, changed.text, changed.metadata):
        return {"status": "success", "id": id}
    return problem(404, f"There is no memory {id!r} in reach of this key.")


@router.delete("/memory/{id}", responses=documented(404))
def delete_memory(caller: Writer, id: str) -> Any:  # noqa: A002
    """Delete one memory. A trade still counts as evidence."""
    if caller.memory.delete(id):
        return {"status": "success", "id": id}
    return problem(404, f"There is no memory {id!r} in reach of this key.")


@router.get("/search")
def search(
    caller: Reader,
    query: Annotated[
        str,
        Query(
            description="Words, conditions, or both; see docs/reference/queries.md. Without words "
            "the newest memories come first.",
            examples=["strategy:MyStrategy AND profit:>10.0"],
        ),
    ] = "",
    type: Annotated[str | None, Query(description="Only of this type.")] = None,  # noqa: A002
    category: str | None = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 10,
) -> dict[str, Any]:
    """Return the memories that match best."""
    asked: dict[str, Any] = {}
    if type:
        asked["filters"] = {"type": type}
    if is_like_a_query(query):
        asked["where"] = query
    elif query.strip():
        asked["query"] = query
    found = caller.memory.recall(category, limit=limit, **asked)
    return {"results": found, "count": len(found)}


def stored(
    caller: Caller, user_id: str | None, text: str, metadata: dict[str, Any]
) -> dict[str, Any]:
    """Store a text with its metadata; return the answer."""
    own: dict[str, Any] = dict(metadata)
    kind = own.get("type")
    default = _CATEGORIES.get(kind) if isinstance(kind, str) else None
    if default is not None and "metrics" not in own and (metrics := numbers_in(text)):
        own["metrics"] = metrics  # scripts write the numbers of a result into its text
    category = own.pop("category", None) or default or Category.LEARNING_INSIGHTS
    memory_id = caller.memory_of(user_id).store(category, text, own)
    return {"status": "success", "id": memory_id}
