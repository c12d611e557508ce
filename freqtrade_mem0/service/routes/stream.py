"""The stream of news for pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, HTTPException, Query
from fastapi.responses import StreamingResponse

from freqtrade_mem0.service.caller import Reader

router = APIRouter(include_in_schema=False)

ADDRESS = "/stream"


@router.get(ADDRESS)
def stream(
    caller: Reader,
    last_event_id: Annotated[str, Header()] = "",
    after: Annotated[str, Query()] = "",
) -> StreamingResponse:
    """Send how much is new in the caller's reach, as server-sent events, until the caller goes.

    `Last-Event-ID`, or `after` where a page has to say it itself, is where it goes on.
    """
    known = last_event_id or after
    news, scope = caller.service.pages.news, caller.memory.reach
    if not news.enter():
        raise HTTPException(503, "Too many pages are open.", {"Retry-After": "10"})
    number = int(known) if known.isascii() and known.isdecimal() and len(known) < 19 else None  # noqa: PLR2004
    return StreamingResponse(
        news.stream(scope, number),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )
