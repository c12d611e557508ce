"""What other systems report, with a key or as webhooks whose sender is verified."""

from __future__ import annotations

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body
from pydantic import BaseModel, Field

from freqtrade_mem0.service.caller import Hook
from freqtrade_mem0.service.routes.memories import stored
from freqtrade_mem0.webhooks.heard import id_in

router = APIRouter(tags=["webhooks"])

_KNOWN = ("strategy", "metrics", "timestamp")
"""Keys of a report that keep their names; the others are found as `data.name`."""

_REPEATED = {"status": "repeated"}


class Notice(BaseModel):
    """What another system reports."""

    type: str = Field(min_length=1, examples=["backtest"])
    data: dict[str, Any] = Field(default_factory=dict, examples=[{"strategy": "MyStrategy"}])


@router.post("/api/v1/notify")
def notify(hook: Hook, notice: Notice) -> dict[str, Any]:
    """Remember what another system, such as n8n or a controller, reports. It counts as said."""
    data = dict(notice.data)
    named: dict[str, Any] = {key: data.pop(key) for key in _KNOWN if key in data}
    told = json.dumps(notice.data, ensure_ascii=False, sort_keys=True)
    metadata: dict[str, Any] = {"type": notice.type, **named, "data": data}
    with hook.once() as is_new:
        if not is_new:
            return _REPEATED
        return stored(hook.caller, None, f"{notice.type}: {told}", metadata)


@router.post("/memory-webhook")
def memory_webhook(
    hook: Hook,
    event: Annotated[dict[str, Any], Body(examples=[{"event": "memory:add", "id": "..."}])],
) -> dict[str, Any]:
    """Take an event as a hint to look into Mem0 now. Its text is not believed and not stored."""
    with hook.once() as is_new:
        if not is_new:
            return _REPEATED
        hook.caller.service.beside.pull_soon(id_in(event))
        return {"status": "accepted"}
