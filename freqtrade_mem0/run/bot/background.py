"""The thread of a bot's chores, so that Freqtrade's loop does not wait for them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_PAUSE_S = 0.001
"""Pause in long work, so that Freqtrade's loop can run: threads share the interpreter."""


class Background:
    """Calls `work` in a thread whenever it was requested. `work` must not raise."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._requested = threading.Event()
        self._stopping = threading.Event()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None

    def request(self) -> None:
        """Request the work, once more if it is under way. Never blocks."""
        self._requested.set()
        with self._starting:
            if self._thread is None and not self._stopping.is_set():
                self._thread = threading.Thread(
                    target=self._run, name="freqtrade-mem0-chores", daemon=True
                )
                self._thread.start()

    def pause(self) -> bool:
        """Pause in the middle of long work; return False where the work must stop."""
        return not self._stopping.wait(_PAUSE_S)

    def stop(self, timeout_s: float) -> bool:
        """Stop the work and wait at most `timeout_s`; return False where it still goes on."""
        self._stopping.set()
        self._requested.set()
        with self._starting:
            thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(timeout_s)
        return not thread.is_alive()

    def _run(self) -> None:
        while True:
            self._requested.wait()
            self._requested.clear()
            if self._stopping.is_set():
                return
            self._work()
