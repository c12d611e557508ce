"""Folders for unfinished files, removed at the end; those of killed processes by the next one."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX = ".freqtrade-mem0-"
_LOCK = "lock"

_FRESH_S = 60.0
"""A younger folder may belong to a process that has not locked it yet."""


@contextmanager
def workplace(folder: Path, purpose: str) -> Iterator[Path]:
    """Give a private folder inside another one; remove it at the end."""
    remove_abandoned(folder)
    with TemporaryDirectory(dir=folder, prefix=f"{_PREFIX}{purpose}-") as name:
        work = Path(name)
        lock = os.open(work / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield work
        finally:
            os.close(lock)


def remove_abandoned(folder: Path) -> None:
    """Remove what killed processes left unfinished in a folder."""
    for work in folder.glob(f"{_PREFIX}*"):
        if work.is_dir() and not work.is_symlink() and _is_abandoned(work):
            shutil.rmtree(work, ignore_errors=True)


def sync_folder(folder: Path) -> None:
    """Wait until the disk knows the names in a folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_abandoned(work: Path) -> bool:
    try:
        if abs(time.time() - work.stat().st_mtime) < _FRESH_S:
            return False
        lock = os.open(work / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    else:
        return True
    finally:
        os.close(lock)
