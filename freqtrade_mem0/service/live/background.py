"""Results that take long: computed beside the pages, and kept as long as they hold."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, cast

from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_KEPT = 16
_PATIENCE_S = 0.4
"""How long a page waits for a result before it is shown without."""


_PAUSE = 20
"""How long a result counts as new, as a multiple of the time that it took."""


class _Known(NamedTuple):
    """A result, and until when it counts as new."""

    value: object
    until_s: float


class Background:
    """Computes one result at a time; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: LRUCache[Hashable, Future[Any]] = LRUCache(_MOST_KEPT)
        self._latest: LRUCache[Hashable, _Known] = LRUCache(_MOST_KEPT)
        self._running: LRUCache[Hashable, Future[None]] = LRUCache(_MOST_KEPT)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="freqtrade-mem0-pages")

    def result(self, key: Hashable, compute: Callable[[], T]) -> T | None:
        """Return the result of a key; None while it is being computed, or where that failed."""
        with self._lock:
            future = self._known.get(key)
            if future is None:
                future = self._known[key] = self._pool.submit(compute)
        wait([future], _PATIENCE_S)
        if not future.done():
            return None
        try:
            return cast("T", future.result())
        except Exception:
            logger.exception("A result for a page could not be computed.")
            return None

    def latest(self, key: Hashable, compute: Callable[[], T]) -> T | None:
        """Return the newest result of a key; None before there is one.

        One that is old is computed anew beside the page, the more rarely the longer that takes.
        """
        with self._lock:
            known = self._latest.get(key)
            waiting = self._running.get(key)
            is_old = known is None or time.monotonic() > known.until_s
            if is_old and (waiting is None or waiting.done()):
                waiting = self._running[key] = self._pool.submit(self._compute, key, compute)
        if known is None and waiting is not None:
            wait([waiting], _PATIENCE_S)
            known = self._latest.get(key)
        return None if known is None else cast("T", known.value)

    def _compute(self, key: Hashable, compute: Callable[[], object]) -> None:
        began_s = time.monotonic()
        try:
            value = compute()
        except Exception:
            logger.exception("A result for a page could not be computed.")
            return
        now_s = time.monotonic()
        with self._lock:
            self._latest[key] = _Known(value, now_s + _PAUSE * (now_s - began_s))

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
