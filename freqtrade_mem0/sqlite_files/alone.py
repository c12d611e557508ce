"""A lock that one process of this machine holds while it works on a folder."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def alone(path: Path) -> Iterator[int | None]:
    """Lock a file until the block ends; give its descriptor, or None where another one has it.

    The system releases the lock of a process that was killed. A child that inherits the descriptor
    holds it, too. Raises `OSError` where the file can not be opened for writing.
    """
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
        else:
            yield file
    finally:
        os.close(file)
