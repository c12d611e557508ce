"""Delivers records from the journal to Mem0: in batches, at least once, not in trading callbacks.

Ids are deterministic and a backend replaces what it has, so the effect is once. Several processes
may deliver from one journal at once: they write the same memories. What one of them may have undone
of another's is delivered again.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.breaker import BreakerState
from freqtrade_mem0.delivery.worker import Mem0Worker
from freqtrade_mem0.errors import BackendError, JournalError
from freqtrade_mem0.records.mapping import to_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.settings import DeliverySettings
    from freqtrade_mem0.journal.outbox import Outbox
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

logger = logging.getLogger(__name__)

_DRAIN_ATTEMPTS = 3
_BATCH_POLL_S = 0.5
"""How often `deliver_beside` asks whether a batch is full, which takes about 20 us."""


def delivery_of(memory: MemoryFolder) -> Delivery:
    """Return what moves the records of an opened memory's journal to its backend."""
    return Delivery(
        memory.outbox, lambda: memory.backend, memory.settings.delivery, memory.memory_of
    )


class Delivery(Mem0Worker):
    """Drains an outbox into a backend.

    Parameters
    ----------
    outbox
        Where records wait.
    backend
        Opens the backend; called at the first delivery, off the trading path.
    settings
        The `"delivery"` block.
    memory_of
        Makes the memory of a record.
    """

    consequence = "Records wait in the journal; trading is not affected."
    recovery = "Mem0 is back; waiting records are being delivered."

    def __init__(
        self,
        outbox: Outbox,
        backend: Callable[[], MemoryBackend],
        settings: DeliverySettings,
        memory_of: Callable[[Record], Memory] = to_memory,
    ) -> None:
        super().__init__("freqtrade-mem0-delivery", settings)
        self._memory_of = memory_of
        self._outbox = outbox
        self._backend = backend
        self._settings = settings

    def deliver_batch(self) -> int:
        """Deliver the oldest waiting records; return how many were delivered or refused.

        Raises
        ------
        BackendError, JournalError
            Mem0 or the journal can not be used now. The records still wait.
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
        """Deliver until nothing waits; return False when time ran out or Mem0 keeps failing.

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
                n_done = self.deliver_batch()
            except (BackendError, JournalError) as error:
                pause_s = self._failed(error)
                if (
                    self._breaker.failures >= _DRAIN_ATTEMPTS
                    or time.monotonic() + pause_s > deadline
                ):
                    logger.warning("%s What waits is delivered by the next run.", error)
                    return False
                time.sleep(pause_s)
                continue
            self._breaker.succeeded()
            if n_done == 0:
                return True
            if progress is not None:
                progress(n_done)
        return self._outbox.state().pending == 0

    def deliver_beside(self, pause: Callable[[float], bool]) -> int:
        """Deliver full batches until `pause` returns True; return how many records.

        For a process beside a backtest. Failures are logged for debugging only: the `drain` at the
        end of the run reports them.

        Parameters
        ----------
        pause
            Waits up to the given seconds; returns whether to stop.
        """
        n_done = 0
        pause_s = 0.0
        while not pause(pause_s):
            try:
                if self._outbox.has_waiting(self._settings.batch_size):
                    n_done += self.deliver_batch()
                    pause_s = 0.0
                else:
                    pause_s = _BATCH_POLL_S
            except (BackendError, JournalError) as error:
                logger.debug("Delivery beside the run: %s", error)
                pause_s = self._failed(error)
            else:
                self._breaker.succeeded()
        return n_done

    def _step(self) -> float:
        # The pause ends in time for what another process of this journal left behind.
        return 0.0 if self.deliver_batch() else self._settings.max_retry_s

    def _write(self, records: list[Record]) -> None:
        backend = self._backend()
        backend.write([self._memory_of(record) for record in records])
        gone: dict[str, None] = {}
        for record in records:
            gone.pop(record.id, None)  # deleted, and then recorded again
            if record.deletes is not None:
                gone[record.deletes] = None
        if gone:
            backend.delete(list(gone))

    def _deliver_singly(self, batch: list[tuple[int, Record]]) -> None:
        """Deliver a refused batch record by record, and note which are refused."""
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
                    "'freqtrade-mem0 dead-letters' shows how to correct it.",
                    record.kind,
                    record.id,
                    error,
                )
            else:
                self._outbox.delivered([seq], datetime.now(UTC))
