"""Work in a forked child, beside what this process goes on with.

The child only has to save time. Whatever goes wrong in it, this process does the work itself, and
what it then meets and logs is what it would have met without a child. So the work must be harmless
to repeat.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_LOOK_S = 0.005
_CORES = 2


class Forked:
    """A forked child at work."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._has_ended = False

    def succeeded(self, timeout_s: float) -> bool:
        """Wait for the child; return whether its work is done and it had nothing to log.

        A child that needs longer than `timeout_s` is killed.
        """
        last = time.monotonic() + timeout_s
        try:
            while True:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    self._has_ended = True
                    return status == 0
                if time.monotonic() > last:
                    self.end()
                    return False
                time.sleep(_LOOK_S)
        except ChildProcessError:  # this process was told not to keep the outcome of its children
            self._has_ended = True
            return False

    def end(self) -> None:
        """Kill the child if it is still there."""
        if self._has_ended:  # its number may be another's by now
            return
        self._has_ended = True
        with suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def forked(work: Callable[[], bool]) -> Forked | None:
    """Let a forked child do some work; None where there can be no child, or no core is free for it.

    The caller must have closed SQLite's connections, which must not be carried over a fork.

    Parameters
    ----------
    work
        Returns whether it succeeded. Doing it twice must be harmless.
    """
    if not is_worthwhile():
        return None
    try:
        pid = os.fork()
    except OSError:  # no memory, or too many processes
        return None
    if pid:
        return Forked(pid)
    code = 1
    try:
        code = 0 if _done(work) else 1
    finally:
        os._exit(code)  # nothing of the parent may be flushed or closed twice


def is_worthwhile() -> bool:
    """Return whether this system forks safely, and has a core for a child."""
    # On other systems than Linux the system's own libraries may not survive a fork.
    return sys.platform == "linux" and len(os.sched_getaffinity(0)) >= _CORES


def _done(work: Callable[[], bool]) -> bool:
    """In the child, do the work; return whether all of it is done and nothing was logged."""
    # An interrupt from the keyboard is for Freqtrade. Its handlers are not for the child.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.disable()  # a collection would write to, and so copy, every page that both share
    logged: list[logging.LogRecord] = []
    # Another thread may have held the lock of a handler.
    logging.root.handlers[:] = [_Listener(logged)]
    return work() and not logged


class _Listener(logging.Handler):
    def __init__(self, logged: list[logging.LogRecord]) -> None:
        super().__init__()
        self._logged = logged

    def emit(self, record: logging.LogRecord) -> None:
        self._logged.append(record)
