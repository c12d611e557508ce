"""Files that a command writes for people: whole, or not at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextmanager
def whole_file(target: Path, *, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """Give a file that takes the place of `target` once it is whole and on the disk.

    Where that fails, an earlier file stays as it was and nothing is left behind. A link, a pipe or
    a device, such as /dev/stdout, is written to as it is: it must not be replaced by a file.

    Parameters
    ----------
    target
        The file.
    mode
        Its permissions, before the process's umask; never more than an earlier file has.

    Raises
    ------
    OSError
        It can not be written.
    """
    if target.is_symlink() or (target.exists() and not target.is_file()):
        with target.open("wb") as file:
            yield file
        return
    path = target.with_name(f".{target.name}.{os.getpid()}.unfinished")
    if target.exists():
        mode &= target.stat().st_mode
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        path.replace(target)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
