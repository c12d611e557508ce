"""Freqtrade commands that are forked from a process which has imported Freqtrade."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import IO, TYPE_CHECKING

from freqtrade_mem0.demo.freqtrade_run import child_environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[2]


class ForkedFreqtrade(subprocess.Popen[bytes]):
    """What `subprocess.Popen` is for `python -m freqtrade ARGUMENTS`; see `tests.support.forking`.

    Parameters
    ----------
    args
        The command; what follows `-m freqtrade` is passed on.
    stdin, stdout, stderr
        `DEVNULL` or open files; `STDOUT` for errors in the same file as the output.
    env
        The environment.
    """

    def __init__(
        self,
        args: Sequence[str],
        *,
        stdin: int,
        stdout: IO[bytes],
        stderr: IO[bytes] | int,
        env: Mapping[str, str],
    ) -> None:
        assert list(args[:3]) == [sys.executable, "-m", "freqtrade"]
        assert stdin == subprocess.DEVNULL
        self.args = args
        self.stdin = self.stdout = self.stderr = None
        self.returncode: int | None = None
        self._said = b""
        self._answers, theirs = socket.socketpair()
        asked = {"arguments": list(args[3:]), "environment": dict(env), "folder": str(Path.cwd())}
        errors = stdout if isinstance(stderr, int) else stderr
        with theirs, Path(os.devnull).open("rb") as nothing:
            files = [theirs.fileno(), *(each.fileno() for each in (nothing, stdout, errors))]
            socket.send_fds(_forking(), [json.dumps(asked).encode()], files)
        self.pid = self._number(None)

    def poll(self) -> int | None:
        """Return the exit code, or None while it runs."""
        try:
            return self.wait(0)
        except subprocess.TimeoutExpired:
            return None

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code once it has ended."""
        if self.returncode is None:
            self.returncode = self._number(timeout)
            self._answers.close()
        return self.returncode

    def _number(self, timeout: float | None) -> int:
        """Return the next number that the process which forked it tells."""
        while b"\n" not in self._said:
            if not select.select([self._answers], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            more = self._answers.recv(64)
            assert more, "The process that forks Freqtrade commands has ended."
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        return int(line)


@cache
def _forking() -> socket.socket:
    """Start the process that forks; return the socket that takes commands."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.forking", str(theirs.fileno())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            cwd=ROOT,
            env=child_environment(),
            pass_fds=[theirs.fileno()],
        )

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours
