"""What the jobs do; and the process that does one: `python -m freqtrade_mem0.service.jobs.work`.

It is a process of its own, so that the service answers as quickly as before. It writes the result
itself, also when the service is gone meanwhile.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.rotation import backup_folder, rotate
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.service.file import ServiceFile
from freqtrade_mem0.service.jobs.queue import FORGET, Jobs
from freqtrade_mem0.views.forgetting import forget

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.archive.check import Backup

logger = logging.getLogger(__name__)

_NICENESS = 10  # bots and the service go first


def _backup(memory: MemoryFolder, params: dict[str, Any]) -> dict[str, Any]:
    if params.get("rotate"):  # of the schedule
        return {"backup": _rotated(memory, datetime.now(UTC))}
    folder = backup_folder(memory)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _made(make_backup(memory, folder, datetime.now(UTC)))


def _optimize(memory: MemoryFolder, _: dict[str, Any]) -> dict[str, Any]:
    return run_cycle(memory, datetime.now(UTC)).as_dict()


def _cleanup(memory: MemoryFolder, params: dict[str, Any]) -> dict[str, Any]:
    """Run a cycle that keeps no memory longer than this, except what is kept for ever."""
    days: float = params["older_than_days"]
    kept = {
        name: min(value, days)
        for name, value in memory.settings.retention
        if name != "max_trades" and value is not None
    }
    retention = memory.settings.retention.model_copy(update=kept)
    memory.settings = memory.settings.model_copy(update={"retention": retention})
    return run_cycle(memory, datetime.now(UTC)).as_dict()


def _forget(memory: MemoryFolder, params: dict[str, Any]) -> dict[str, Any]:
    """Forget; the names of what was forgotten are not kept with the receipt."""
    receipt = forget(memory.for_user(params["user_id"]), ForgetScope(**params))
    return {name: value for name, value in receipt.items() if name not in params}


def _maintain(memory: MemoryFolder, _: dict[str, Any]) -> dict[str, Any]:
    """Do what 'freqtrade-mem0 maintain' does: a backup if one is due, then a cycle."""
    now = datetime.now(UTC)
    backup = _rotated(memory, now)
    return run_cycle(memory, now).as_dict() | {"backup": backup}


def _rotated(memory: MemoryFolder, now: datetime) -> dict[str, Any] | None:
    made = rotate(memory, now).made
    return None if made is None else _made(made)


def _made(backup: Backup) -> dict[str, Any]:
    counts = backup.manifest.counts
    return {"path": str(backup.path), "bytes": backup.bytes, "counts": counts}


WORK: dict[str, Callable[[MemoryFolder, dict[str, Any]], dict[str, Any]]] = {
    "backup": _backup,
    "optimize": _optimize,
    "cleanup": _cleanup,
    FORGET: _forget,
    "maintain": _maintain,
}


def run_job(memory: MemoryFolder, jobs: Jobs, job_id: str) -> None:
    """Do a job, and note what came of it."""
    job = jobs.get(job_id)
    if job is None:
        return
    jobs.began(job_id)
    try:
        result = WORK[job["name"]](memory, job["params"])
    except (Mem0Error, OSError) as error:
        jobs.ended(job_id, None, str(error))
    except Exception as error:
        logger.exception("The job %s failed.", job["name"])
        jobs.ended(job_id, None, f"It failed unexpectedly ({error!r}); see the service's log.")
    else:
        jobs.ended(job_id, result)


def main() -> None:
    """Do the job that standard input names."""
    given = json.load(sys.stdin)
    os.nice(_NICENESS)
    settings = Settings.model_validate(given["settings"])
    memory = MemoryFolder(settings, Path(given["user_data_dir"]))
    file = ServiceFile(memory.folder)
    try:
        run_job(memory, Jobs(file), given["job_id"])
    finally:
        memory.close()
        file.close()


if __name__ == "__main__":
    main()
