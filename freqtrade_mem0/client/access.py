"""The opened memory of a script or service, shared by the clients of all its users.

A read sees what was written before it. While Mem0 is away, the journal on this machine answers, and
Mem0 is asked again after a pause.
"""

from __future__ import annotations

import logging
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from freqtrade_mem0.client.asking import answers, relevant
from freqtrade_mem0.client.cache import CachedReads
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.errors import BackendError, JournalError, RecordError
from freqtrade_mem0.journal.together import Together

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.client.asking import Question
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

logger = logging.getLogger(__name__)

T = TypeVar("T")

_DELIVER_TIMEOUT_S = 30.0


class Access:
    """Reads and writes of one store; safe to share between threads.

    `ttl_s` and `max_memories` are those of `CachedReads`.
    """

    def __init__(self, store: MemoryFolder, *, ttl_s: float, max_memories: int) -> None:
        self.store = store
        self._ttl_s = ttl_s
        self._max_memories = max_memories
        self._delivery = delivery_of(store) if store.delivers else None
        self._delivering = threading.Lock()  # a batch written late would undo a newer one
        self._away_until_s = float("-inf")
        self._opening = threading.Lock()
        self._together = Together(store.journal)
        self._cached: MemoryBackend | None = None
        self._reads: CachedReads | None = None
        self.later: Callable[[], None] | None = None
        """Called after a write instead of delivering at once: it has to see to `deliver_now`."""

    @property
    def reads(self) -> CachedReads:
        """Searches and scans of Mem0, behind the cache."""
        backend = self.store.backend
        with self._opening:
            if self._reads is None or backend is not self._cached:
                self._cached = backend
                self._reads = CachedReads(
                    backend, ttl_s=self._ttl_s, max_memories=self._max_memories
                )
            return self._reads

    def append(self, records: Sequence[Record]) -> None:
        """Write records to the journal, then deliver to Mem0 what can be delivered now.

        Raises
        ------
        RecordError
            Memory, or the category of a record, is switched off; nothing is stored.
        JournalError
            The records are not stored.
        """
        if not self.store.settings.enabled:
            raise RecordError(
                '"mem0.enabled" (MEM0_ENABLED) is false, so memory is switched off: nothing is '
                "stored. Set it to true."
            )
        for record in records:
            is_on = getattr(self.store.settings.categories, record.category)
            if not is_on and record.deletes is None:
                raise RecordError(
                    f'"mem0.categories.{record.category}" is false in the config: nothing of this '
                    "category is stored. Set it to true, or do not store this."
                )
        self._together.append(records)
        self.store.asked.write()
        try:
            if self.later is None:
                self.deliver_now()
            else:
                self.later()
        finally:
            self._forget()

    def ask(self, asked: Question) -> list[Memory]:
        """Return the answer of Mem0, or of the journal where Mem0 is away or lacks own records.

        Raises
        ------
        BackendError
            Permanent: Mem0 refuses the question.
        """
        found = self._asking(
            lambda reads: answers(reads, asked), lambda journal: answers(journal, asked)
        )
        if asked.limit is not None:  # a listing of everything asks for nothing in particular
            self._count(found)
        return found

    def ask_many(self, asked: Question, queries: Sequence[str]) -> list[list[Memory]]:
        """Return the answer to each query; everything else is as in `asked`."""
        filters, limit = asked.filters, asked.limit or 0
        found = self._asking(
            lambda reads: reads.search_many(queries, filters=filters, limit=limit),
            lambda journal: [
                journal.search(query, filters=filters, limit=limit) for query in queries
            ],
        )
        answered = [relevant(each, asked) for each in found]
        self._count(memory for each in answered for memory in each)
        return answered

    def preload(self, asked: Question, hold_s: float) -> int:
        """Hold all memories that pass the question's filter; see `CachedReads.preload`."""
        return self._asking(
            lambda reads: reads.preload(asked.filters, hold_s=hold_s), lambda _journal: 0
        )

    def delete(self, memory_id: str) -> bool:
        """Delete one memory in Mem0; return whether it was there."""
        try:
            return self.store.backend.delete([memory_id]) > 0
        finally:
            self._forget()

    def deliver(self) -> bool:
        """Deliver what waits in the journal, with retries; return whether nothing waits any more.

        It takes up to half a minute where Mem0 is away.
        """
        if self._delivery is None:
            return True
        with self._delivering:
            is_delivered = self._delivery.drain(_DELIVER_TIMEOUT_S)
            self._forget()
            self._away_until_s = float("-inf") if is_delivered else self._retry_at_s()
            return is_delivered

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        self._forget()
        self.store.close()

    def _count(self, found: Iterable[Memory]) -> None:
        self.store.asked.count((memory.id for memory in found), datetime.now(UTC))

    def _asking(
        self, ask_mem0: Callable[[CachedReads], T], ask_journal: Callable[[MemoryBackend], T]
    ) -> T:
        if time.monotonic() >= self._away_until_s and self.deliver_now():
            try:
                return ask_mem0(self.reads)
            except BackendError as error:
                if error.permanent:
                    raise
                self._away_until_s = self._retry_at_s(error.retry_after_s)
                if not self.store.settings.local_fallback:
                    raise
                logger.warning("%s The journal on this machine answers instead.", error)
        if not self.store.settings.local_fallback and self.store.delivers:
            raise BackendError(
                'Mem0 is away, and "mem0.local_fallback" (MEM0_LOCAL_FALLBACK) is false: the '
                "journal on this machine does not answer instead. Ask again later."
            )
        return ask_journal(self.store.local)

    def deliver_now(self) -> bool:
        """Deliver what waits, without retries; return whether nothing waits any more."""
        if self._delivery is None:
            return True
        with self._delivering:
            started_s = time.monotonic()
            if started_s < self._away_until_s:
                return False
            try:
                while self._delivery.deliver_batch():
                    self._forget()
                    if time.monotonic() > started_s + _DELIVER_TIMEOUT_S:
                        return False
            except (BackendError, JournalError) as error:
                asked_s = error.retry_after_s if isinstance(error, BackendError) else None
                self._away_until_s = self._retry_at_s(asked_s)
                logger.warning("%s What waits is delivered later.", error)
                return False
            return True

    def _retry_at_s(self, retry_after_s: float | None = None) -> float:
        settings = self.store.settings.delivery
        asked_s = min(retry_after_s or 0.0, settings.max_retry_s)
        return time.monotonic() + max(settings.retry_s, asked_s)

    def _forget(self) -> None:
        if self._reads is not None:
            self._reads.forget()
