"""One thread that does a bot's chores, so that Freqtrade's loop waits for none of them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_BREATH_S = 0.001
"""Pause in long work: it lets Freqtrade's loop have the interpreter."""


class Background:
    """Works when it is asked to, one piece after another.

    Parameters
    ----------
    work
        Does all that was asked for since it was called last; raises nothing.
    """

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._asked = threading.Event()
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def ask(self) -> None:
        """Let it work, once more if it does already. Waits for nothing."""
        self._asked.set()
        with self._starting:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(
                    target=self._run, name="freqtrade-mem0-chores", daemon=True
                )
                self._thread.start()

    def breathe(self) -> bool:
        """Pause in the middle of long work; False where it shall be broken off."""
        return not self._stopping.wait(_BREATH_S)

    def stop(self, timeout_s: float) -> bool:
        """Break off, waiting at most `timeout_s`; False when the work goes on."""
        self._stopping.set()
        self._asked.set()
        with self._starting:
            thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _run(self) -> None:
        while True:
            self._asked.wait()
            self._asked.clear()
            if self._stopping.is_set():
                return
            self._work()
