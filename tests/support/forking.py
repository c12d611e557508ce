"""A process that has imported Freqtrade and this package, and forks itself for each command.

The imports take seconds of processor time, a fork milliseconds. The forked process runs
`python -m MODULE` or `python -c CODE` with arguments, environment, files and exit code of its own.
The Python processes that the command starts are forked, too. Mem0 is not imported before the fork,
as its import reads environment variables.

`python -m tests.support.forking LISTENING` is that process: LISTENING is the number of a socket. A
connection that asks for nothing keeps the process alive; it ends with the last of them.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from shutil import rmtree
from types import ModuleType
from typing import Any

from tests.support.forked_python import HOME, ForkedPython

_IMPORTED = (
    "freqtrade.main",
    "freqtrade.optimize.backtesting",
    "freqtrade.rpc.api_server.webserver",
    "freqtrade.rpc.rpc_manager",
    "freqtrade.worker",
    "talib.abstract",
    # What Mem0 imports.
    "openai",
    "posthog",
    "qdrant_client",
    # What the mixin and the most frequent commands import.
    "freqtrade_mem0.cli.main",
    "freqtrade_mem0.cli.commands.deliver",
    "freqtrade_mem0.mixin",
    "freqtrade_mem0.run.bot.runtime",
    "freqtrade_mem0.strategy.process",
)
_MOST_BYTES = 1_000_000


def serve(listening: socket.socket) -> dict[str, Any]:
    """Fork for each command; return what was asked for, in the forked process alone.

    Raises
    ------
    SystemExit
        In the first process, with the last connection that keeps it alive.
    """
    for name in _IMPORTED:
        import_module(name)
    gc.collect()
    gc.freeze()
    connected: list[socket.socket] = []
    while True:
        for ready in select.select([listening, *connected], [], [])[0]:
            if ready is listening:
                connected.append(listening.accept()[0])
                continue
            connected.remove(ready)
            message, streams, _, _ = socket.recv_fds(ready, _MOST_BYTES, 3)
            if not message:
                ready.close()
                if not connected:
                    rmtree(Path(listening.getsockname()).parent, ignore_errors=True)
                    sys.exit()
                continue
            with ready:
                if _fork() == 0:
                    for each in (listening, *connected):
                        each.close()
                    return _forked(json.loads(message), ready, streams)
            for stream in streams:
                os.close(stream)
            _reap()


def _forked(asked: dict[str, Any], answers: socket.socket, streams: list[int]) -> dict[str, Any]:
    """Fork once more: the first process reports on the second, which is the command."""
    pid = _fork()
    if pid:
        for stream in streams:
            os.close(stream)
        answers.sendall(str(pid).encode())
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with suppress(OSError):  # whoever started it may have ended
            answers.sendall(str(code).encode())
        os._exit(0)
    answers.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    if asked["session"]:
        os.setsid()
    os.environ.clear()
    os.environ.update(asked["environment"])
    os.chdir(asked["folder"])
    return asked


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


def _open_streams() -> None:
    """Make the three streams of Python anew: what they are depends on the files behind them."""
    options: dict[str, Any] = {"encoding": "utf-8", "closefd": False}
    sys.stdin = open(0, **options)  # noqa: SIM115 - open to the end
    sys.stdout = open(1, "w", **options)  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", **options)  # noqa: SIM115
    vars(sys).update(__stdin__=sys.stdin, __stdout__=sys.stdout, __stderr__=sys.stderr)


def _run(how: str, what: str, *arguments: str) -> None:
    """Run a module or code as Python does."""
    _open_streams()
    own = [path for path in os.getenv("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:1] = [os.getcwd() if how == "-m" else "", *own]  # noqa: PTH109 - a text
    if how == "-m":
        sys.argv = [what, *arguments]
        if not hasattr(sys.modules.get(what), "__path__"):
            sys.modules.pop(what, None)  # or runpy warns
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    sys.argv = [how, *arguments]
    sys.modules["__main__"] = ModuleType("__main__")
    exec(compile(what, "<string>", "exec"), vars(sys.modules["__main__"]))  # noqa: S102


def _end(code: int | None) -> None:
    """End as Python does, exit handlers included, but take apart none of the many modules.

    That would take a quarter of a second.
    """
    vars(threading)["_shutdown"]()
    vars(atexit)["_run_exitfuncs"]()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit((code or 0) & 0xFF)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _listening = socket.socket(fileno=int(sys.argv[1]))
    _address = str(_listening.getsockname())
    _asked = serve(_listening)
    os.environ[HOME] = _address
    subprocess.Popen = ForkedPython  # type: ignore[misc]
    try:
        _run(*_asked["arguments"])
    except SystemExit as _ended:
        if not isinstance(_ended.code, int | None):
            raise
        _end(_ended.code)
    _end(0)
