"""One cycle at a time in a folder. The system releases the lock of a process that was killed."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.sqlite_files.alone import alone

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILE_NAME = "maintain.lock"


@contextmanager
def only_one(folder: Path) -> Iterator[None]:
    """Hold the lock of a memory folder; raise `JournalError` where another cycle holds it."""
    path = folder / FILE_NAME
    with ExitStack() as stack:
        try:
            file = stack.enter_context(alone(path))
        except OSError as error:
            why = f"{path} can not be opened for writing: {error.strerror}."
            raise JournalError(why) from error
        if file is None:
            raise JournalError(
                f"Another 'freqtrade-mem0 maintain' works on {folder}. Wait until it has ended: "
                "one cycle at a time may run."
            )
        yield
