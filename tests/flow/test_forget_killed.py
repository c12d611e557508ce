"""Processes that forget are ended by SIGKILL; the next one leaves not a byte in the folder."""

from __future__ import annotations

import os
import shutil
import signal
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.rotation import backup_folder
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.views.forgetting import forget, unfinished
from tests.support.full_memory import (
    CANARY,
    OTHER,
    WHOSE,
    files_with,
    fill_folder,
    in_ram,
    in_small_steps,
    open_memory,
    rows_of,
)

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 28, 6, tzinfo=UTC)
WHOLE = ForgetScope(user_id=WHOSE.user_id)
POINTS = (0, 3, 9, 17, 24, 31, 38, 45)


def test_killed_processes_leave_nothing_once_one_has_ended() -> None:
    """In journal, Mem0, index of words, history, snapshots, copies, backups, and all logs."""
    with pytest.MonkeyPatch.context() as patched, in_ram() as ram:
        in_small_steps(patched)
        template, folder = ram / "template", ram / "copy"
        fill_folder(template, n=24)
        memory = open_memory(template)
        others = rows_of(memory, OTHER.user_id)
        backups = backup_folder(memory)
        backups.mkdir()
        make_backup(memory, backups, NOW)
        memory.close()
        logs_left = 0
        for point in POINTS:
            shutil.copytree(template, folder)
            assert end_in_the_middle(folder, point) == signal.SIGKILL, point
            logs_left += any(path.stat().st_size for path in folder.rglob("*-wal"))
            memory = open_memory(folder)
            assert not unfinished(memory)[0]
            receipt = forget(memory, WHOLE, now=NOW + timedelta(hours=1), with_backups=True)
            assert receipt["complete"]
            assert rows_of(memory, OTHER.user_id) == others
            memory.close()
            assert files_with(folder, CANARY) == [], point
            shutil.rmtree(folder)
        assert logs_left == len(POINTS)


def end_in_the_middle(folder: Path, at: int) -> int:
    """Forget in a process that is killed between two steps; return the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            points = count()

            def point() -> None:
                if next(points) == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            forget(open_memory(folder), WHOLE, now=NOW, point=point)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status)
