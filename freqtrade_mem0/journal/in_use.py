"""Tells whether any process has a journal open."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_LOCKED_WHILE_OPEN = (510, 0x4000_0002)
"""Length and offset of the bytes that every open SQLite connection keeps locked."""


def is_in_use(path: Path) -> bool:
    """Return whether another process has an SQLite file open; raise `OSError` if it can not tell.

    Nothing of this process may have the file open: asking would drop its own locks.
    """
    file = os.open(path, os.O_RDWR)
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCKED_WHILE_OPEN)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
