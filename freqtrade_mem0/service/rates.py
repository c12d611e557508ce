"""Limits of how often a caller may ask, by token buckets."""

from __future__ import annotations

import threading
import time
from math import ceil
from typing import TYPE_CHECKING

from cachetools import LRUCache

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_MOST_CALLERS = 10_000
"""Callers whose use is remembered; the one that was quiet for longest is dropped first."""


class RateLimit:
    """At most so many requests a minute by each caller, of which a minute's worth may come at once.

    Parameters
    ----------
    per_minute
        > 0.
    clock
        Returns seconds that never go back.
    """

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = per_minute
        self._per_s = per_minute / 60
        self._clock = clock
        self._lock = threading.Lock()
        self._left: LRUCache[Hashable, tuple[float, float]] = LRUCache(_MOST_CALLERS)
        """By caller: how many requests are left, and when that was."""

    def wait_s(self, caller: Hashable) -> int:
        """Count a request; return 0 if it may be answered, else in how many seconds to ask again.

        >>> now = 0.0
        >>> limit = RateLimit(2, lambda: now)
        >>> [limit.wait_s("me") for _ in range(3)], limit.wait_s("you")
        ([0, 0, 30], 0)
        """
        with self._lock:
            now = self._clock()
            left, at = self._left.get(caller, (self._size, now))
            left = min(self._size, left + (now - at) * self._per_s)
            is_allowed = left >= 1
            self._left[caller] = (left - is_allowed, now)
        return 0 if is_allowed else max(1, ceil((1 - left) / self._per_s))
