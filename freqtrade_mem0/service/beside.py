"""What the service does beside answering: it delivers, looks for news, and keeps its schedule."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.archive.rotation import is_due
from freqtrade_mem0.delivery.pull import pull_news, pull_one
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.records.base import from_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.client.mem0_client import Mem0Client
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.service.jobs.queue import Jobs

logger = logging.getLogger(__name__)

_SHARED_MODES = ("server", "platform")
"""Modes in which others write to the same Mem0 from other machines."""

_PERIOD_S = 15.0
_MOST_HINTS = 1_000
"""Memories that events have named and that are still to be read; the news have the others, too."""

_HOUR_MS = 3_600_000


class Beside:
    """A thread beside the service.

    Parameters
    ----------
    client
        The memory.
    now_and_then
        Called every quarter of a minute.
    """

    def __init__(self, client: Mem0Client, now_and_then: Sequence[Callable[[], object]]) -> None:
        self._client = client
        self._now_and_then = now_and_then
        self._hinted: deque[str] = deque(maxlen=_MOST_HINTS)
        self._news = threading.Event()
        self._stop = threading.Event()
        self._wants_pull = client.folder.settings.mode in _SHARED_MODES
        self._pull_at_s = 0.0
        self._thread = threading.Thread(target=self._run, name="freqtrade-mem0-beside", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._client.deliver_later(self._news.set)
        self._thread.start()

    def pull_soon(self, memory_id: str | None = None) -> None:
        """Read soon what others wrote into Mem0, and this memory in any case."""
        if memory_id is not None and self._client.folder.delivers:
            self._hinted.append(memory_id)
        self._pull_at_s, self._wants_pull = 0.0, self._client.folder.delivers
        self._news.set()

    def stop(self, timeout_s: float) -> None:
        """Stop after the present step; what was not delivered waits in the journal."""
        self._stop.set()
        self._news.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        next_s = 0.0
        while not self._stop.is_set():
            self._news.clear()
            self._try(self._client.deliver_now)
            if self._wants_pull and time.monotonic() >= self._pull_at_s:
                self._try(self._pull)
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + _PERIOD_S
                for step in self._now_and_then:
                    self._try(step)
            self._news.wait(_PERIOD_S)

    def _pull(self) -> None:
        settings = self._client.folder.settings
        self._pull_at_s = time.monotonic() + settings.sync_interval
        self._wants_pull = settings.mode in _SHARED_MODES
        pull_news(self._client.folder)
        while self._hinted:
            pull_one(self._client.folder, self._hinted.popleft())

    def _try(self, step: Callable[[], object]) -> None:
        try:
            step()
        except Mem0Error as error:
            logger.warning("%s It is tried again.", error)
        except Exception:
            logger.exception("This failed unexpectedly; it is tried again.")


def due_job(memory: MemoryFolder, jobs: Jobs, now_ms: int) -> tuple[str, dict[str, Any]] | None:
    """Return name and parameters of the job that is due, or None.

    `service.maintain_hours` asks for a cycle, the first time when these hours have passed since the
    first start; `backup.every_days` for a backup.
    """
    every_hours = memory.settings.service.maintain_hours
    if every_hours is None or not memory.journal.path.exists():
        return None
    last_ms = jobs.last_asked_ms("maintain")
    if (
        now_ms - (jobs.schedule_began_ms() if last_ms is None else last_ms)
        >= every_hours * _HOUR_MS
    ):
        return "maintain", {}
    tried_ms = max(last_ms or 0, jobs.last_asked_ms("backup") or 0)
    # A backup that fails is not tried all the time.
    if now_ms - tried_ms >= _HOUR_MS and is_due(memory, from_ms(now_ms)):
        return "backup", {"rotate": True}
    return None
