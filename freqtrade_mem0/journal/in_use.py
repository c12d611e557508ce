"""Tells whether any process has an SQLite file open, and keeps others out."""

from __future__ import annotations

import fcntl
import os
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_LOCKED_WHILE_OPEN = (510, 0x4000_0002)
"""Length and offset of the bytes that every open SQLite connection keeps locked."""


def is_in_use(path: Path) -> bool:
    """Return whether another process has an SQLite file open; raise `OSError` if it can not tell.

    Nothing of this process may have the file open: asking would drop its own locks.
    """
    with _locked(path) as is_free:
        return not is_free


@contextmanager
def kept_out(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Keep other processes from opening SQLite files; give those that one has open already.

    As for `is_in_use`, nothing of this process may open them meanwhile.
    """
    with ExitStack() as stack:
        yield [path for path in paths if not stack.enter_context(_locked(path))]


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    """Hold the lock of the only user of a file; give whether it could be had."""
    file = os.open(path, os.O_RDWR)
    try:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, *_LOCKED_WHILE_OPEN)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(file)
