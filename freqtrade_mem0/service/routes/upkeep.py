"""Forgetting, copies and upkeep. What takes long is a job, which can be watched."""

from __future__ import annotations

import asyncio
import shutil
import time
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool

from freqtrade_mem0.service.asking import ask, ask_to_forget, job_of
from freqtrade_mem0.service.caller import Admin, Known, Operator, Reader
from freqtrade_mem0.service.problems import documented

router = APIRouter(tags=["upkeep"])

FORGET_WAIT_S = 20.0
_LOOK_S = 0.1
_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0}
_AGE = r"^[1-9][0-9]{0,4}[hdw]$"


class Forgotten(BaseModel):
    """What is forgotten of a user."""

    strategy: str | None = Field(None, description="Only this strategy.")
    run_id: str | None = Field(None, description="Only this backtest run or bot.")
    dry_run: bool = Field(default=False, description="Only count.")


@router.post(
    "/users/{user_id}/forget",
    responses={202: {"description": "It takes longer, and is a job."}, **documented(409)},
)
async def forget(
    caller: Admin, response: Response, user_id: str, what: Forgotten | None = None
) -> dict[str, Any]:
    """Delete a user everywhere, and prove it with a receipt; `n_deleted` says how many.

    After 20 seconds it answers 202 with a job, whose `result` will be the receipt.
    """
    what = what or Forgotten(strategy=None)
    memory, service = await run_in_threadpool(caller.memory_of, user_id), caller.service
    if what.dry_run:
        planned = partial(memory.planned, strategy=what.strategy, run_id=what.run_id)
        return await run_in_threadpool(planned)
    asked = await run_in_threadpool(ask_to_forget, caller, memory, what.strategy, what.run_id)
    named = asked["params"]
    job, until_s = asked, time.monotonic() + FORGET_WAIT_S
    while job["ended_at"] is None and time.monotonic() < until_s:
        await asyncio.sleep(_LOOK_S)
        job = service.jobs.get(asked["id"]) or asked
    if job["error"]:
        raise HTTPException(503, job["error"], {"Retry-After": "30"})
    if job["ended_at"] is None:
        response.status_code = 202
        return asked
    deleted = job["result"]["deleted"]
    n_deleted = sum(deleted.get(place, 0) for place in ("records", "decisions"))
    return {**job["result"], **named, "n_deleted": n_deleted}


@router.get(
    "/export",
    response_class=FileResponse,
    responses={200: {"content": {"application/x-ndjson": {}}, "description": "JSON lines."}},
)
def export(caller: Reader, where: str | None = None) -> FileResponse:
    """Return the records as JSON lines, which 'freqtrade-mem0 import' takes back."""
    folder = Path(mkdtemp(prefix="freqtrade-mem0-export-"))
    target = folder / "export.jsonl"
    try:
        caller.memory.export(target, where)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    clean_up = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    return FileResponse(target, media_type="application/x-ndjson", background=clean_up)


@router.post("/backup", status_code=202)
def backup(service: Operator, who: Known) -> dict[str, Any]:
    """Make a backup, as 'freqtrade-mem0 backup' does."""
    return ask(service, "backup", {}, who.id)


@router.post("/optimize", status_code=202)
def optimize(service: Operator, who: Known) -> dict[str, Any]:
    """Age, prune and compress, as 'freqtrade-mem0 maintain' does. No stake changes."""
    return ask(service, "optimize", {}, who.id)


@router.delete("/cleanup", status_code=202)
def cleanup(
    service: Operator,
    who: Known,
    older_than: Annotated[str, Query(pattern=_AGE, description="Age, as in 30d, 12h or 4w.")],
) -> dict[str, Any]:
    """Prune memories that are older, except what is kept for ever; evidence stays."""
    days = int(older_than[:-1]) * _DAYS[older_than[-1]]
    return ask(service, "cleanup", {"older_than_days": days}, who.id)


@router.get("/jobs")
def jobs(
    service: Operator, limit: Annotated[int, Query(ge=1, le=1_000)] = 20
) -> list[dict[str, Any]]:
    """Return the newest jobs, newest first."""
    return service.jobs.newest(limit)


@router.get("/jobs/{id}", responses=documented(404))
def job(caller: Admin, id: str) -> dict[str, Any]:  # noqa: A002 - the name in the address
    """Return a job: `state` is waiting, running, done or failed. A bound key sees its own."""
    found = job_of(caller, id)
    if found is None:
        raise HTTPException(404, f"There is no job {id!r}; GET /jobs lists them.")
    return found
