"""A process that has imported Freqtrade and forks itself for each command of the flow tests.

The imports of Freqtrade take seconds of processor time, a fork milliseconds. The forked process
runs `python -m freqtrade` with arguments, environment, files and exit code of its own. Our package
is not imported before the fork.

`python -m tests.support.forking SOCKET` is that process; it ends when its socket is closed.
"""

from __future__ import annotations

import gc
import json
import os
import runpy
import signal
import socket
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

_IMPORTED = (
    "freqtrade.main",
    "freqtrade.optimize.backtesting",
    "freqtrade.rpc.api_server.webserver",
    "freqtrade.rpc.rpc_manager",
    "freqtrade.worker",
    "talib.abstract",
)
_MOST_BYTES = 1_000_000


def serve(commands: socket.socket) -> list[str]:
    """Fork for each command; return its arguments, in the forked process alone.

    Raises
    ------
    SystemExit
        In the first process, once `commands` is closed.
    """
    for name in _IMPORTED:
        import_module(name)
    gc.collect()
    gc.freeze()
    while True:
        message, files, _, _ = socket.recv_fds(commands, _MOST_BYTES, 4)
        if not message:
            sys.exit()
        answers, *streams = files
        if _fork() == 0:
            commands.close()
            return _forked(json.loads(message), socket.socket(fileno=answers), streams)
        for file in files:
            os.close(file)
        _reap()


def _forked(asked: dict[str, Any], answers: socket.socket, streams: list[int]) -> list[str]:
    """Fork once more: the first process reports on the second, which is the command."""
    pid = _fork()
    if pid:
        for stream in streams:
            os.close(stream)
        answers.sendall(f"{pid}\n".encode())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        answers.sendall(f"{code}\n".encode())
        os._exit(0)
    answers.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    return list(asked["arguments"])


def _fork() -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    return os.fork()


def _reap() -> None:
    """Collect reporters that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["freqtrade", *serve(socket.socket(fileno=int(sys.argv[1])))]
    sys.path[:1] = [str(Path.cwd()), *filter(None, os.getenv("PYTHONPATH", "").split(os.pathsep))]
    runpy.run_module("freqtrade", run_name="__main__", alter_sys=True)
