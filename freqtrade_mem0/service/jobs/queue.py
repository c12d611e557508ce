"""The queue of jobs in the service's file."""

from __future__ import annotations

import json
import secrets
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.views.values import iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.service.file import ServiceFile
    from freqtrade_mem0.views.values import Facts

_COLUMNS = (
    "id, name, params, state, asked_by, asked_ms, began_ms, ended_ms, result, error"  # as `_facts`
)
_MOST_KEPT = 1_000
FORGET = "forget"
"""A job whose parameters are taken away when it ends: they name what was forgotten."""
_ENDED_BY_FORCE = "The process that ran it was ended. Ask for it again: it goes on where it was."


class JobState(StrEnum):
    """How far a job is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Jobs:
    """Jobs of a memory, in the order in which they were asked for."""

    def __init__(self, file: ServiceFile) -> None:
        self._file = file

    def ask(self, name: str, params: Mapping[str, Any], asked_by: str) -> Facts:
        """Queue a job and return it; the same job that still waits or runs is returned instead."""
        given = json.dumps(params, sort_keys=True)
        with self._file.write() as sqlite:
            same = sqlite.execute(
                "SELECT id FROM jobs WHERE name = ? AND params = ? AND state IN (?, ?)",
                [name, given, JobState.WAITING, JobState.RUNNING],
            ).fetchone()
            job_id = secrets.token_hex(8) if same is None else same[0]
            if same is None:
                sqlite.execute(
                    "INSERT INTO jobs (id, name, params, state, asked_by, asked_ms)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    [job_id, name, given, JobState.WAITING, asked_by, self._file.now_ms()],
                )
                sqlite.execute(
                    "DELETE FROM jobs WHERE number <= (SELECT max(number) FROM jobs) - ?"
                    " AND state IN (?, ?)",
                    [_MOST_KEPT, JobState.DONE, JobState.FAILED],
                )
        found = self.get(job_id)
        assert found is not None  # noqa: S101 - it was just written
        return found

    def get(self, job_id: str) -> Facts | None:
        """Return a job, or None."""
        rows = self._file.rows(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", [job_id])  # noqa: S608
        return _facts(rows[0]) if rows else None

    def newest(self, limit: int) -> list[Facts]:
        """Return the newest jobs, newest first."""
        query = f"SELECT {_COLUMNS} FROM jobs ORDER BY number DESC LIMIT ?"  # noqa: S608
        return [_facts(row) for row in self._file.rows(query, [limit])]

    def last_asked_ms(self, name: str) -> int | None:
        """Return when a job of this name was asked for last; None where it never was."""
        rows = self._file.rows("SELECT max(asked_ms) FROM jobs WHERE name = ?", [name])
        ms: int | None = rows[0][0]
        return ms

    def schedule_began_ms(self) -> int:
        """Return when a service of this memory first looked at its schedule."""
        if not (rows := self._file.rows("SELECT began_ms FROM schedule")):
            with self._file.write() as sqlite:
                sqlite.execute("INSERT INTO schedule VALUES (?)", [self._file.now_ms()])
            return self._file.now_ms()
        ms: int = rows[0][0]
        return ms

    def next_waiting(self) -> str | None:
        """Return the id of the oldest job that waits, or None."""
        query = "SELECT id FROM jobs WHERE state = ? ORDER BY number LIMIT 1"
        rows = self._file.rows(query, [JobState.WAITING])
        return rows[0][0] if rows else None

    def began(self, job_id: str) -> None:
        """Note that a job runs."""
        with self._file.write() as sqlite:
            sqlite.execute(
                "UPDATE jobs SET state = ?, began_ms = ? WHERE id = ?",
                [JobState.RUNNING, self._file.now_ms(), job_id],
            )

    def ended(self, job_id: str, result: Mapping[str, Any] | None, error: str = "") -> None:
        """Note what became of a job."""
        state = JobState.FAILED if error else JobState.DONE
        text = None if result is None else json.dumps(result, default=str)
        with self._file.write() as sqlite:
            sqlite.execute(
                "UPDATE jobs SET state = ?, ended_ms = ?, result = ?, error = ?,"
                " params = iif(name = ?, '{}', params) WHERE id = ?",
                [state, self._file.now_ms(), text, error, FORGET, job_id],
            )
        self._file.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def were_ended_by_force(self) -> None:
        """Note of all jobs that run that their process was ended."""
        with self._file.write() as sqlite:
            sqlite.execute(
                "UPDATE jobs SET state = ?, ended_ms = ?, error = ?,"
                " params = iif(name = ?, '{}', params) WHERE state = ?",
                [JobState.FAILED, self._file.now_ms(), _ENDED_BY_FORCE, FORGET, JobState.RUNNING],
            )


def _facts(row: Any) -> Facts:
    job_id, name, params, state, asked_by, asked, began, ended, result, error = row

    def moment(ms: int | None) -> str | None:
        return None if ms is None else iso(from_ms(ms))

    return {
        "id": job_id,
        "name": name,
        "params": json.loads(params),
        "state": state,
        "asked_by": asked_by,
        "asked_at": moment(asked),
        "began_at": moment(began),
        "ended_at": moment(ended),
        "result": None if result is None else json.loads(result),
        "error": error,
    }
