"""Moves records from the journal to Mem0: in batches, at least once, never in a trading callback.

Ids are deterministic and a backend replaces what it has already, so the effect is once. Several
processes may deliver from one journal at the same time: they write the same memories, and what one
of them may have undone of the other's is delivered once more.
"""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError, JournalError
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.records.retraction import Retraction

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.settings import DeliverySettings
    from freqtrade_mem0.journal.outbox import Outbox
    from freqtrade_mem0.records.base import Record

logger = logging.getLogger(__name__)


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
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._in_trouble = False

    def deliver_batch(self) -> int:
        """Deliver the oldest waiting records; return how many were dealt with, 0 when none wait.

        Raises
        ------
        BackendError
            Mem0 can not be reached now. The records go on waiting.
        JournalError
            The journal can not be used now.
        """
        batch = self._outbox.pending(self._settings.batch_size)
        if not batch:
            return 0
        try:
            self._write([record for _, record in batch])
        except BackendError as error:
            if not error.permanent:
                self._outbox.failed([seq for seq, _ in batch], str(error), dead=False)
                raise
            self._deliver_singly(batch)
        else:
            self._outbox.delivered([seq for seq, _ in batch])
        return len(batch)

    def drain(self, timeout_s: float, progress: Callable[[int], None] | None = None) -> bool:
        """Deliver until nothing waits; return False when time ran out or Mem0 is away.

        Parameters
        ----------
        timeout_s
            Checked between batches; seconds.
        progress
            Called after each batch with the number of records in it.
        """
        deadline = time.monotonic() + timeout_s
        try:
            while time.monotonic() < deadline:
                dealt_with = self.deliver_batch()
                if dealt_with == 0:
                    return True
                if progress is not None:
                    progress(dealt_with)
            return self._outbox.state().pending == 0
        except (BackendError, JournalError) as error:
            logger.warning("%s What waits is delivered by the next run.", error)
            return False

    def start(self) -> None:
        """Deliver in a background thread from now on."""
        self._thread = threading.Thread(
            target=self._run, name="freqtrade-mem0-delivery", daemon=True
        )
        self._thread.start()

    def wake(self) -> None:
        """Say that something new waits. Never blocks."""
        self._wake.set()

    def stop(self, timeout_s: float) -> None:
        """Stop the background thread after the batch it is at, waiting at most `timeout_s`."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout_s)
            self._thread = None

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                dealt_with = self.deliver_batch()
            except Exception as error:
                if not self._in_trouble:
                    self._in_trouble = True
                    known = isinstance(error, BackendError | JournalError)
                    logger.warning(
                        "%s Records wait in the journal; trading is not affected.",
                        error,
                        exc_info=None if known else error,
                    )
                self._stop.wait(self._settings.retry_s)
                continue
            if self._in_trouble:
                self._in_trouble = False
                logger.info("Mem0 is back; waiting records are being delivered.")
            if dealt_with == 0:
                # The time-out finds what another process of this journal left behind.
                self._wake.wait(self._settings.retry_s)

    def _write(self, records: list[Record]) -> None:
        backend = self._backend()
        backend.write([to_memory(record) for record in records])
        gone: dict[str, None] = {}
        for record in records:
            gone.pop(record.id, None)  # taken back, and then said again
            if isinstance(record, Retraction):
                gone[record.target_id] = None
        if gone:
            backend.delete(list(gone))

    def _deliver_singly(self, batch: list[tuple[int, Record]]) -> None:
        """Find out which of a refused batch are refused; the others are delivered."""
        for seq, record in batch:
            try:
                self._write([record])
            except BackendError as error:
                self._outbox.failed([seq], str(error), dead=error.permanent)
                if not error.permanent:
                    raise
                logger.warning("Mem0 refuses the %s record %s: %s", record.kind, record.id, error)
            else:
                self._outbox.delivered([seq])
