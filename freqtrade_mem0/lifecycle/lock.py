"""One cycle at a time in a folder. The system releases the lock of a process that was killed."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "maintain.lock"


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a memory folder; raise `JournalError` where another cycle holds it."""
    path = folder / FILE_NAME
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise JournalError(f"{path} can not be opened for writing: {error.strerror}.") from error
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise JournalError(
                f"Another 'freqtrade-mem0 maintain' works on {folder}. Wait until it has ended: "
                "one cycle at a time may run."
            ) from None
        yield
    finally:
        os.close(file)
