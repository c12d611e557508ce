"""Forgetting, copies and upkeep. What takes long is a job, which can be watched."""

from __future__ import annotations

import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import FileResponse
from pydantic import BaseModel, Field
from starlette.background import BackgroundTask

from freqtrade_mem0.service.caller import Admin, Known, Operator, Reader
from freqtrade_mem0.service.problems import documented
from freqtrade_mem0.service.state import Service

router = APIRouter(tags=["upkeep"])

_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0}
_AGE = r"^[1-9][0-9]{0,4}[hdw]$"


class Forgotten(BaseModel):
    """What is forgotten of a user."""

    strategy: str | None = Field(None, description="Only this strategy.")
    run_id: str | None = Field(None, description="Only this backtest run or bot.")
    dry_run: bool = Field(default=False, description="Only count.")


@router.post("/users/{user_id}/forget", responses=documented(409))
def forget(caller: Admin, user_id: str, what: Forgotten | None = None) -> dict[str, Any]:
    """Delete a user everywhere, and prove it with a receipt; `deleted` says how many."""
    what, memory = what or Forgotten(strategy=None), caller.memory_of(user_id)
    if what.dry_run:
        return memory.planned(strategy=what.strategy, run_id=what.run_id)
    receipt = memory.forget(strategy=what.strategy, run_id=what.run_id)
    n_deleted = sum(receipt["deleted"].get(place, 0) for place in ("records", "decisions"))
    return receipt | {"n_deleted": n_deleted}


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
    return _job(service, "backup", {}, who.id)


@router.post("/optimize", status_code=202)
def optimize(service: Operator, who: Known) -> dict[str, Any]:
    """Age, prune and compress, as 'freqtrade-mem0 maintain' does. No stake changes."""
    return _job(service, "optimize", {}, who.id)


@router.delete("/cleanup", status_code=202)
def cleanup(
    service: Operator,
    who: Known,
    older_than: Annotated[str, Query(pattern=_AGE, description="Age, as in 30d, 12h or 4w.")],
) -> dict[str, Any]:
    """Prune memories that are older, except what is kept for ever; evidence stays."""
    days = int(older_than[:-1]) * _DAYS[older_than[-1]]
    return _job(service, "cleanup", {"older_than_days": days}, who.id)


@router.get("/jobs")
def jobs(
    service: Operator, limit: Annotated[int, Query(ge=1, le=1_000)] = 20
) -> list[dict[str, Any]]:
    """Return the newest jobs, newest first."""
    return service.jobs.newest(limit)


@router.get("/jobs/{id}", responses=documented(404))
def job(service: Operator, id: str) -> dict[str, Any]:  # noqa: A002 - the name in the address
    """Return a job: `state` is waiting, running, done or failed."""
    found = service.jobs.get(id)
    if found is None:
        raise HTTPException(404, f"There is no job {id!r}; GET /jobs lists them.")
    return found


def _job(service: Service, name: str, params: dict[str, Any], who: str) -> dict[str, Any]:
    asked = service.jobs.ask(name, params, who)
    service.runner.wake()
    return asked | {"watch": f"/jobs/{asked['id']}"}
