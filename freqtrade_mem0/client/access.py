"""One opened memory for scripts and services: what was written is seen, and nobody waits twice.

While Mem0 is away the journal on this machine answers, and Mem0 is asked again after a pause.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING, TypeVar

from freqtrade_mem0.client.asking import answers, relevant
from freqtrade_mem0.client.cache import BatchSearch, CachingBackend
from freqtrade_mem0.errors import BackendError, JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.client.asking import Question
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

logger = logging.getLogger(__name__)

T = TypeVar("T")

_DELIVER_TIMEOUT_S = 30.0


class Access:
    """Reads and writes of one store; safe to share between threads and between owners.

    Parameters
    ----------
    store
        The opened memory.
    ttl_s, max_memories
        How long answers are repeated and how much of them is held; see `CachingBackend`.
    clock
        Monotonic seconds.
    """

    def __init__(
        self,
        store: MemoryFolder,
        *,
        ttl_s: float,
        max_memories: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = store
        self._ttl_s = ttl_s
        self._max_memories = max_memories
        self._clock = clock
        self._delivery = store.delivery() if store.delivers else None
        self._delivering = threading.Lock()  # a batch written late would undo a newer one
        self._away_until_s = float("-inf")
        self._opening = threading.Lock()
        self._asked: MemoryBackend | None = None
        self._caching: CachingBackend | None = None

    @property
    def backend(self) -> CachingBackend:
        """Where memories live, behind the cache."""
        asked = self.store.backend
        with self._opening:
            if self._caching is None or asked is not self._asked:
                self._asked = asked
                self._caching = CachingBackend(
                    asked, ttl_s=self._ttl_s, max_memories=self._max_memories, clock=self._clock
                )
            return self._caching

    def append(self, records: Sequence[Record]) -> None:
        """Write records to the journal, then to Mem0 if that can be reached; there they wait else.

        Raises
        ------
        JournalError
            They could not be stored at all.
        """
        self.store.journal.append(records)
        try:
            self._is_delivered()
        finally:
            self._forget()

    def ask(self, asked: Question) -> list[Memory]:
        """Return what is known; from the journal where Mem0 is away, or own records wait for it.

        Raises
        ------
        BackendError
            Permanent: Mem0 refuses the question.
        """
        return self._asking(lambda backend: answers(backend, asked))

    def ask_many(self, asked: Question, queries: Sequence[str]) -> list[list[Memory]]:
        """Return the answers to many queries in one go, with the other parts of one question."""
        limit = asked.limit or 0

        def ask(backend: MemoryBackend) -> list[list[Memory]]:
            if isinstance(backend, BatchSearch):
                found = backend.search_many(queries, filters=asked.filters, limit=limit)
            else:
                found = [
                    backend.search(each, filters=asked.filters, limit=limit) for each in queries
                ]
            return [relevant(each, asked) for each in found]

        return self._asking(ask)

    def preload(self, asked: Question, hold_s: float) -> int:
        """Read all that the question's filter passes; see `CachingBackend.preload`."""
        return self._asking(
            lambda backend: (
                backend.preload(asked.filters, hold_s=hold_s)
                if isinstance(backend, CachingBackend)
                else 0
            )
        )

    def deliver(self) -> bool:
        """Bring what waits in the journal to Mem0, trying again after pauses; False if some waits.

        It takes up to half a minute where Mem0 is away.
        """
        if self._delivery is None:
            return True
        with self._delivering:
            is_delivered = self._delivery.drain(_DELIVER_TIMEOUT_S)
            self._forget()
            self._away_until_s = float("-inf") if is_delivered else self._later_s()
            return is_delivered

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        self._forget()
        self.store.close()

    def _asking(self, ask: Callable[[MemoryBackend], T]) -> T:
        if self._clock() >= self._away_until_s and self._is_delivered():
            try:
                return ask(self.backend)
            except BackendError as error:
                if error.permanent:
                    raise
                self._away_until_s = self._later_s(error.retry_after_s)
                logger.warning("%s The journal on this machine answers instead.", error)
        return ask(self.store.local)

    def _is_delivered(self) -> bool:
        """Try once, without a pause, to bring to Mem0 what waits; tell whether nothing does."""
        if self._delivery is None:
            return True
        with self._delivering:
            started_s = self._clock()
            if started_s < self._away_until_s:
                return False
            try:
                while self._delivery.deliver_batch():
                    self._forget()
                    if self._clock() > started_s + _DELIVER_TIMEOUT_S:
                        return False
            except (BackendError, JournalError) as error:
                asked_s = error.retry_after_s if isinstance(error, BackendError) else None
                self._away_until_s = self._later_s(asked_s)
                logger.warning("%s What waits is delivered later.", error)
                return False
            return True

    def _later_s(self, retry_after_s: float | None = None) -> float:
        settings = self.store.settings.delivery
        asked_s = min(retry_after_s or 0.0, settings.max_retry_s)
        return self._clock() + max(settings.retry_s, asked_s)

    def _forget(self) -> None:
        caching = self._caching
        if caching is not None:
            caching.forget()
