"""A real Redis server on loopback, started and ended by the tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import redis

from tests.support.wait import eventually

START_S = 30.0


class RedisServer:
    """A `redis-server` of its own, without a file on disk.

    It listens on a Unix socket in a folder of its own, which no other process can take.
    """

    def __init__(self) -> None:
        program = shutil.which("redis-server")
        if program is None:
            raise RuntimeError(
                "redis-server is missing; install it ('apt-get install redis-server'), see .ci/run."
            )
        self._folder = TemporaryDirectory()
        socket = Path(self._folder.name) / "redis.sock"
        options = {
            "--port": "0",
            "--unixsocket": str(socket),
            "--save": "",
            "--appendonly": "no",
            "--dir": self._folder.name,
        }
        self._process = subprocess.Popen(
            [program, *(word for option in options.items() for word in option)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        self.url = f"unix://{socket}"
        self.direct = redis.Redis.from_url(self.url, decode_responses=True)
        if not eventually(self._answers, START_S):
            self.close()
            raise RuntimeError("redis-server did not answer.")

    def _answers(self) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"redis-server ended with code {self._process.returncode}.")
        try:
            return bool(self.direct.ping())
        except redis.ConnectionError:
            return False

    def names(self, pattern: str = "*") -> list[str]:
        """Return the keys that the server has."""
        return sorted(self.direct.scan_iter(pattern))

    def close(self) -> None:
        """End the server."""
        self.direct.close()
        self._process.terminate()
        self._process.wait(START_S)
        self._folder.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()
