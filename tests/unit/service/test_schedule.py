"""When the service maintains its memory by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.service.beside import due_job
from freqtrade_mem0.service.file import ServiceFile
from freqtrade_mem0.service.jobs.queue import Jobs

if TYPE_CHECKING:
    from pathlib import Path

HOUR_S = 3_600.0


class Scheduled:
    """A memory and its schedule, as services that start one after another see it."""

    def __init__(self, folder: Path, **block: Any) -> None:
        settings = Settings.model_validate({"mode": "local", "path": folder / "mem0"} | block)
        self.memory = MemoryFolder(settings, folder)
        self.memory.journal.open()
        self.now_s = 1e9

    def due(self) -> tuple[str, dict[str, Any]] | None:
        """Start a service, ask for what is due, and return it."""
        file = ServiceFile(self.memory.folder, lambda: self.now_s)
        jobs = Jobs(file)
        found = due_job(self.memory, jobs, file.now_ms())
        if found is not None:
            job = jobs.ask(*found, "schedule")
            jobs.ended(job["id"], {})
        file.close()
        return found


def test_the_first_cycle_waits_as_long_as_each_later_one(tmp_path: Path) -> None:
    """Also where the service is started anew all the time."""
    schedule = Scheduled(tmp_path, service={"maintain_hours": 24})
    assert schedule.due() is None
    for _ in range(23):
        schedule.now_s += HOUR_S
        assert schedule.due() is None
    for _ in range(2):
        schedule.now_s += 24 * HOUR_S
        assert schedule.due() == ("maintain", {})
        assert schedule.due() is None
    schedule.memory.close()


def test_a_backup_does_not_bring_a_cycle_with_it(tmp_path: Path) -> None:
    """It is made as soon as it is due; one that fails is tried once an hour."""
    backup = {"every_days": 1, "path": str(tmp_path / "backups")}
    schedule = Scheduled(tmp_path, service={"maintain_hours": 240}, backup=backup)
    assert schedule.due() == ("backup", {"rotate": True})
    assert schedule.due() is None
    schedule.now_s += HOUR_S
    assert schedule.due() == ("backup", {"rotate": True})
    schedule.memory.close()


def test_without_a_schedule_nothing_is_due(tmp_path: Path) -> None:
    """Whatever time has passed."""
    schedule = Scheduled(tmp_path, service={"maintain_hours": None})
    for _ in range(2):
        assert schedule.due() is None
        schedule.now_s += 1e6
    schedule.memory.close()
