"""Puts a new SQLite file in the place of another one, which is kept under another name."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

SIDE_FILES = ("", "-wal", "-shm")
"""Endings of the database file itself, of its write-ahead log and of the log's index."""


def exchange(path: Path, fresh: Path, kept: Path) -> None:
    """Give the old files a second name, then put the new file into their place.

    No process may use them. A kill at any instant leaves the old file, under its own name or under
    the second one, and a file under its own name.
    """
    keep(path, kept)
    for suffix in SIDE_FILES[1:]:  # first, as the old log must not meet the new file
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def keep(path: Path, kept: Path) -> None:
    """Give a database file and its side files a second name each."""
    for suffix in SIDE_FILES:
        source, target = path.with_name(path.name + suffix), kept.with_name(kept.name + suffix)
        if source.exists():
            try:
                os.link(source, target)
            except OSError:  # a file system without hard links
                shutil.copy2(source, target)
