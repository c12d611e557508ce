"""What goes wrong around a bot while it is measured: a server that hangs, a disk that is busy."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_BLOCK_BYTES = 4 * 1024 * 1024
_FILE_BYTES = 16 * _BLOCK_BYTES

_WRITER = f"""
import os, sys
file = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
block = os.urandom({_BLOCK_BYTES})
while True:
    for place in range(0, {_FILE_BYTES}, {_BLOCK_BYTES}):
        os.pwrite(file, block, place)
        os.fsync(file)
"""


@contextmanager
def silent_server() -> Iterator[int]:
    """Give the port of a server on loopback that takes connections and never answers."""
    server = socket.create_server(("127.0.0.1", 0), backlog=128)
    held: list[socket.socket] = []

    def take() -> None:
        with suppress(OSError):  # closed at the end
            while True:
                held.append(server.accept()[0])

    threading.Thread(target=take, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        for each in (server, *held):
            each.close()


@contextmanager
def busy_disk(folder: Path) -> Iterator[None]:
    """Let another process write to a file in `folder` and sync it all the time."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "busy"
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(file)])
    try:
        yield
    finally:
        writer.kill()
        writer.wait()
        file.unlink(missing_ok=True)  # killed before it began
