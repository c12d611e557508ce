"""Session memory inside this process."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class InProcessStore:
    """Texts in a dictionary; each call first deletes what has ended. See `SessionStore`.

    Parameters
    ----------
    max_keys
        Most texts kept; of more, the one that ends first goes.
    now
        Returns the time in seconds.
    """

    def __init__(self, max_keys: int = 10_000, now: Callable[[], float] = time.monotonic) -> None:
        self._max_keys = max_keys
        self._now = now
        self._lock = threading.Lock()
        self._texts: dict[tuple[str, str], tuple[float, str]] = {}

    def __len__(self) -> int:
        return len(self._texts)

    def put(self, owner: str, key: str, text: str, ttl_s: float) -> None:
        """Keep a text for a time."""
        with self._lock:
            self._drop_ended()
            self._texts[owner, key] = self._now() + ttl_s, text
            if len(self._texts) > self._max_keys:
                del self._texts[min(self._texts, key=lambda each: self._texts[each][0])]

    def get(self, owner: str, key: str, *, ttl_s: float | None = None) -> str | None:
        """Return a text, or None."""
        with self._lock:
            self._drop_ended()
            found = self._texts.get((owner, key))
            if found is None:
                return None
            if ttl_s is not None:
                self._texts[owner, key] = self._now() + ttl_s, found[1]
            return found[1]

    def items(self, owner: str) -> dict[str, str]:
        """Return all texts of an owner."""
        with self._lock:
            self._drop_ended()
            found = {key: text for (whose, key), (_, text) in self._texts.items() if whose == owner}
        return dict(sorted(found.items()))

    def delete(self, owner: str, key: str) -> bool:
        """Delete a text."""
        with self._lock:
            self._drop_ended()
            return self._texts.pop((owner, key), None) is not None

    def clear(self, owner: str) -> int:
        """Delete all texts of an owner."""
        with self._lock:
            self._drop_ended()
            gone = [each for each in self._texts if each[0] == owner]
            for each in gone:
                del self._texts[each]
            return len(gone)

    def purge(self) -> int:
        """Delete what has ended."""
        with self._lock:
            return self._drop_ended()

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._texts.clear()

    def _drop_ended(self) -> int:
        now = self._now()
        ended = [each for each, (until, _) in self._texts.items() if until <= now]
        for each in ended:
            del self._texts[each]
        return len(ended)
