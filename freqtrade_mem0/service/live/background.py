"""Results that take long: computed beside the pages, and kept as long as they hold."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any, TypeVar, cast

from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_MOST_KEPT = 16
_PATIENCE_S = 0.4
"""How long a page waits for a result before it is shown without."""


class Background:
    """Computes one result at a time; safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: LRUCache[Hashable, Future[Any]] = LRUCache(_MOST_KEPT)
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

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
