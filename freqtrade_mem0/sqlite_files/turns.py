"""Lets long work on a shared SQLite file see that another process waits to write to it.

SQLite does not tell. So whoever is about to write holds a shared lock on a small file beside it
until it has its turn; no writer ever waits for that lock. The file is there once long work was done
on a folder.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LOOK_S = 0.002
_LOOKS = 250
"""SQLite looks every 100 ms at the latest, and then has its turn. Who was killed waits no more."""


@contextmanager
def waiting(path: Path) -> Iterator[None]:
    """Show that this process waits for its turn to write to a file, until the block ends."""
    try:
        file = os.open(_beside(path), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # nobody worked on it yet
        yield
        return
    try:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        yield
    finally:
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_UN)  # also where a forked child has the file open
        os.close(file)


def give_way(path: Path, pause: Callable[[float], None], worked_s: float) -> None:
    """Let others write to a file before the next short piece of work, if some wait.

    Parameters
    ----------
    path
        The SQLite file.
    pause
        Waits for some seconds; it is called with 0 where nobody waits.
    worked_s
        How long the last piece took: the pause where the folder has no locks, and cannot tell.
    """
    pause(0.0)
    for _ in range(_LOOKS):
        waits = _somebody_waits(path)
        if not waits:
            if waits is None:
                pause(worked_s)
            return
        pause(_LOOK_S)


def _somebody_waits(path: Path) -> bool | None:
    try:
        file = os.open(_beside(path), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    else:
        return False
    finally:
        os.close(file)


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")
