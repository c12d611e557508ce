"""Whether the service works, and how much is where."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse, RedirectResponse

from freqtrade_mem0 import __version__
from freqtrade_mem0.service.caller import Observer, Reader
from freqtrade_mem0.service.metrics import CONTENT_TYPE
from freqtrade_mem0.views.values import iso

router = APIRouter(tags=["state"])


@router.get("/health")
async def health() -> dict[str, str]:
    """Tell that the service answers; this needs no key and says nothing else."""
    return {"status": "ok"}


@router.get("/status")
def status(caller: Reader) -> dict[str, Any]:
    """Return the state of the service, and what waits for Mem0."""
    service = caller.service
    own = {"version": __version__, "uptime_s": round(time.time() - service.started_at)}
    if not caller.identity.bound.is_free:
        return {"status": "ok"} | own
    delivery = service.memory.outbox.state()
    return {
        "status": "ok" if not delivery.failures and not delivery.dead else "trouble",
        **own,
        "mode": service.memory.settings.mode,
        "user_id": service.memory.settings.user_id,
        "folder": str(service.memory.folder),
        "pending": delivery.pending if service.memory.delivers else 0,
        "dead": delivery.dead,
        "failures": delivery.failures,
        "last_error": delivery.last_error,
        "delivered_at": iso(delivery.delivered_at),
        "jobs": [each for each in service.jobs.newest(10) if each["ended_at"] is None],
    }


@router.get("/stats")
def stats(caller: Reader) -> dict[str, Any]:
    """Return how many records are in the journal and in Mem0."""
    return caller.memory.stats()


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(request: Request, service: Observer) -> Response:
    """Return metrics in Prometheus's text format; a browser is sent on to /worth."""
    if "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/worth", 303)
    return Response(service.metrics.text(), media_type=CONTENT_TYPE)


@router.get("/vectors/status")
def vectors_status(caller: Reader) -> dict[str, Any]:
    """Return which store Mem0 uses, and how many memories of the caller are in it."""
    return caller.memory.in_mem0()
