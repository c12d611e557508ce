"""Python commands that are forked from a process which has imported what they import."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import json
import os
import select
import socket
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HOME = "TESTS_FORK_AT"
"""In a forked command, the environment variable with the socket of the process that forks."""


class ForkedPython(subprocess.Popen[Any]):
    """What `subprocess.Popen` is, for `python -m MODULE` and `python -c CODE` without the imports.

    Takes the arguments of `subprocess.Popen`. Every other command is started as there. Variables
    that Python itself reads at its start have no effect, but for `PYTHONPATH`.
    """

    _answers: socket.socket | None = None

    def _execute_child(self, args: Any, executable: Any, *more: Any) -> None:
        """Do what `subprocess.Popen` does in its method of this name, by a fork elsewhere."""
        preexec_fn, _, pass_fds, cwd, env, _, _, shell, *pipes, _, _, _, _, _, session, _ = more
        is_python = not isinstance(args, str) and [*map(str, args[:1])] == [sys.executable]
        if not is_python or args[1] not in ("-m", "-c") or preexec_fn or pass_fds or shell:
            super()._execute_child(args, executable, *more)  # type: ignore[misc]
            return
        asked = {
            "arguments": [os.fsdecode(each) for each in args[1:]],
            "environment": dict(os.environ if env is None else env),
            "folder": os.fsdecode(cwd or Path.cwd()),
            "session": bool(session),
        }
        theirs = (pipes[0], pipes[3], pipes[5])
        streams = [number if pipe == -1 else pipe for number, pipe in enumerate(theirs)]
        self._said = b""
        self._answers = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._answers.connect(os.environ.get(HOME) or _start())
            socket.send_fds(self._answers, [json.dumps(asked).encode()], streams)
            self.pid = self._number(None)
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]
        self._child_created = True

    def _internal_poll(self, *deadstate: Any, **named: Any) -> int | None:
        if self._answers is None:
            return super()._internal_poll(*deadstate, **named)  # type: ignore[misc,no-any-return]
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._wait(0)
        return self.returncode

    def _wait(self, timeout: float | None) -> int:
        if self._answers is None:
            return super()._wait(timeout)  # type: ignore[misc,no-any-return]
        if self.returncode is None:
            self.returncode = self._number(timeout)
            self._answers.close()
        return self.returncode

    def _number(self, timeout: float | None) -> int:
        """Return the next number that the process which forked it tells."""
        assert self._answers is not None
        poll = select.poll()  # `select` refuses numbers of files from 1024 on
        poll.register(self._answers, select.POLLIN)
        if not poll.poll(None if timeout is None else 1_000.0 * timeout):
            raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
        told = self._answers.recv(64)
        assert told, "The process that forks commands has ended."
        return int(told)


def run_forked(
    command: list[str], *, timeout: float | None = None, check: bool = False, **options: Any
) -> subprocess.CompletedProcess[Any]:
    """Do what `subprocess.run` does, with a `ForkedPython`; the output is captured."""
    pipe = subprocess.PIPE
    options = {"stdin": subprocess.DEVNULL, "stdout": pipe, "stderr": pipe} | options
    with ForkedPython(command, **options) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(command, process.returncode, output, errors)
    if check:
        done.check_returncode()
    return done


@cache
def _start() -> str:
    """Start the process that forks, one for all processes of pytest; return its address."""
    # The id of a run with pytest-xdist is a long one, and the address of a socket a short one.
    run = os.getenv("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
    folder = Path(tempfile.gettempdir(), f"forks-{os.getuid()}-{run}")
    folder.mkdir(mode=0o700, exist_ok=True)
    address = str(folder / "socket")
    life = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            life.connect(address)
        except FileNotFoundError:
            with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening:
                listening.bind(address)
                listening.listen(64)
                _start_with(listening)
            life.connect(address)
    atexit.register(life.close)  # and with that of the last process it ends
    return address


def _start_with(listening: socket.socket) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.support.forking", str(listening.fileno())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=ROOT,
        env=dict(os.environ),  # GNU readline puts more into that of the process
        pass_fds=[listening.fileno()],
    )
    atexit.register(process.poll)  # keeps it referenced
