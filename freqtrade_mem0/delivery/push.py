"""Moves records from the journal to Mem0: in batches, at least once, never in a trading callback.

Ids are deterministic and a backend replaces what it has already, so the effect is once. Several
processes may deliver from one journal at the same time: they write the same memories, and what one
of them may have undone of the other's is delivered once more.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.breaker import Breaker, BreakerState
from freqtrade_mem0.errors import BackendError, JournalError
from freqtrade_mem0.records.mapping import to_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.settings import DeliverySettings
    from freqtrade_mem0.journal.outbox import Outbox
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record

logger = logging.getLogger(__name__)

_ATTEMPTS_OF_A_FLUSH = 3
_LOOK_AGAIN_S = 0.5
"""How often delivery beside a run looks whether a batch is full; a look takes some 20 us."""


def breaker_for(settings: DeliverySettings) -> Breaker:
    """Return a breaker as the `"delivery"` block describes it."""
    return Breaker(
        base_s=settings.retry_s,
        max_s=settings.max_retry_s,
        failures_to_open=settings.breaker_failures,
        random=random.random,
    )


def delivery_of(memory: MemoryFolder) -> Delivery:
    """Return what moves the records of an opened memory's journal to its backend."""
    return Delivery(memory.outbox, lambda: memory.backend, memory.settings.delivery)


class Delivery:
    """Drains an outbox into a backend.

    Parameters
    ----------
    outbox
        Where records wait.
    backend
        Opens where they go; called off the trading path, at the first delivery.
    settings
        Batch size, pauses.
    """

    def __init__(
        self,
        outbox: Outbox,
        backend: Callable[[], MemoryBackend],
        settings: DeliverySettings,
    ) -> None:
        self._outbox = outbox
        self._backend = backend
        self._settings = settings
        self._breaker = breaker_for(settings)
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self.trouble = ""
        """What is wrong at this moment, for people; "" while all is well."""

    def deliver_batch(self) -> int:
        """Deliver the oldest waiting records; return how many were dealt with, 0 when none wait.

        Raises
        ------
        BackendError
            Mem0 can not be reached now. The records go on waiting.
        JournalError
            The journal can not be used now.
        """
        probing = self._breaker.state is BreakerState.OPEN
        batch = self._outbox.pending(1 if probing else self._settings.batch_size)
        if not batch:
            return 0
        seqs = [seq for seq, _ in batch]
        try:
            self._write([record for _, record in batch])
        except BackendError as error:
            if not error.permanent:
                self._outbox.failed(seqs, str(error))
                raise
            self._deliver_singly(batch)
        else:
            self._outbox.delivered(seqs, datetime.now(UTC))
        return len(batch)

    def drain(self, timeout_s: float, progress: Callable[[int], None] | None = None) -> bool:
        """Deliver until nothing waits; return False when time ran out or Mem0 is away.

        A Mem0 that fails is asked a few times more, after pauses, if there is time for them.

        Parameters
        ----------
        timeout_s
            Checked between batches; seconds.
        progress
            Called after each batch with the number of records in it.
        """
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                dealt_with = self.deliver_batch()
            except (BackendError, JournalError) as error:
                pause_s = self._breaker.failed(_retry_after_s(error))
                if (
                    self._breaker.failures >= _ATTEMPTS_OF_A_FLUSH
                    or time.monotonic() + pause_s > deadline
                ):
                    logger.warning("%s What waits is delivered by the next run.", error)
                    return False
                time.sleep(pause_s)
                continue
            self._breaker.succeeded()
            if dealt_with == 0:
                return True
            if progress is not None:
                progress(dealt_with)
        return self._outbox.state().pending == 0

    def deliver_beside(self, pause: Callable[[float], bool]) -> int:
        """Deliver whole batches as they come, until somebody says that it is enough.

        For a process beside one that has no time to lose: what does not fill a batch is left, and
        a Mem0 that fails is left alone for a while, without a word; who drains in the end says so.

        Parameters
        ----------
        pause
            Waits up to so many seconds, and returns whether it is enough.

        Returns
        -------
        int
            How many records were dealt with.
        """
        n_done = 0
        pause_s = 0.0
        while not pause(pause_s):
            try:
                if self._outbox.has_waiting(self._settings.batch_size):
                    n_done += self.deliver_batch()
                    pause_s = 0.0
                else:
                    pause_s = _LOOK_AGAIN_S
            except (BackendError, JournalError) as error:
                logger.debug("Delivery beside the run: %s", error)
                pause_s = self._breaker.failed(_retry_after_s(error))
            else:
                self._breaker.succeeded()
        return n_done

    @property
    def alarm(self) -> str:
        """What an owner should hear of: Mem0 failed often in a row; "" otherwise."""
        return self.trouble if self._breaker.state is BreakerState.OPEN else ""

    def start(self) -> None:
        """Deliver in a background thread from now on."""
        self._thread = threading.Thread(
            target=self._run, name="freqtrade-mem0-delivery", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Say that something new waits. Never blocks."""
        self._wake.set()

    def stop(self, timeout_s: float) -> bool:
        """Stop the background thread after the batch it is at, waiting at most `timeout_s`.

        Returns
        -------
        bool
            False when it is still waiting for Mem0. It writes nothing more once that answers, and
            must not have its backend closed under it.
        """
        self._stop.set()
        self._wake.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                dealt_with = self.deliver_batch()
            except Exception as error:
                if not self.trouble:
                    known = isinstance(error, BackendError | JournalError)
                    logger.warning(
                        "%s Records wait in the journal; trading is not affected.",
                        error,
                        exc_info=None if known else error,
                    )
                self.trouble = str(error)
                self._stop.wait(self._breaker.failed(_retry_after_s(error)))
                continue
            if self._breaker.succeeded():
                self.trouble = ""
                logger.info("Mem0 is back; waiting records are being delivered.")
            if dealt_with == 0:
                # The time-out finds what another process of this journal left behind.
                self._wake.wait(self._settings.max_retry_s)

    def _write(self, records: list[Record]) -> None:
        backend = self._backend()
        backend.write([to_memory(record) for record in records])
        gone: dict[str, None] = {}
        for record in records:
            gone.pop(record.id, None)  # taken back, and then said again
            if record.retracts is not None:
                gone[record.retracts] = None
        if gone:
            backend.delete(list(gone))

    def _deliver_singly(self, batch: list[tuple[int, Record]]) -> None:
        """Find out which of a refused batch are refused; the others are delivered."""
        for seq, record in batch:
            try:
                self._write([record])
            except BackendError as error:
                if not error.permanent:
                    self._outbox.failed([seq], str(error))
                    raise
                self._outbox.refused([seq], str(error))
                logger.warning(
                    "Mem0 refuses the %s record %s: %s It stays in the journal; "
                    "'freqtrade-mem0 dead-letters' shows how to mend it.",
                    record.kind,
                    record.id,
                    error,
                )
            else:
                self._outbox.delivered([seq], datetime.now(UTC))


def _retry_after_s(error: Exception) -> float | None:
    return error.retry_after_s if isinstance(error, BackendError) else None
