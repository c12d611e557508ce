"""Brings what others put into the shared Mem0 into the journal, from where recall learns it.

Each memory of ours carries its whole record, so the same work also rebuilds a lost journal. What
other people and tools wrote becomes a note.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.breaker import BreakerState
from freqtrade_mem0.delivery.push import breaker_for
from freqtrade_mem0.errors import BackendError, JournalError, RecordError
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.mapping import from_memory, is_record, note_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
"""How far before the newest memory seen a pull begins again: clocks of different machines differ,
and a batch becomes visible only when it is stored as a whole."""

_BATCH = 500


@dataclass(slots=True, kw_only=True)
class Pulled:
    """What a pull did.

    Parameters
    ----------
    n_read
        Memories that Mem0 gave.
    n_new
        Records that were news to the journal.
    skipped
        Why memories were left out, one sentence each: written by a newer version, or damaged.
    latest
        Aware UTC time at which the newest of them was stored; None where no memory says so.
    """

    n_read: int = 0
    n_new: int = 0
    skipped: list[str] = field(default_factory=list)
    latest: datetime | None = None


def rebuild(store: MemoryFolder, progress: Callable[[int], None] | None = None) -> Pulled:
    """Bring into the journal all that Mem0 has and the journal has not. Again, it adds nothing.

    Of what both know, what was recorded last counts. Sizing decisions are not in Mem0: the ledger
    of the past does not come back, what trades know of their entry does.

    Parameters
    ----------
    store
        The memory; not in mode "local".
    progress
        Called with the number of memories that have just been dealt with.

    Raises
    ------
    BackendError, JournalError
        Mem0 or the journal can not be used.
    """
    return _pull(store, {"user_id": store.settings.user_id}, None, progress)


def pull_news(store: MemoryFolder) -> Pulled:
    """Bring into the journal what came into Mem0 since the last time, from whichever process.

    Backtests of others stay where they are, unless one was promoted: a bot reads no other. The
    first pull of a journal reads everything else.

    Raises
    ------
    BackendError, JournalError
        Mem0 or the journal can not be used; the next pull begins where this one did.
    """
    name = f"pulled {store.home} {store.settings.user_id}"
    mark = store.marks.get(name)
    since = None if not mark else datetime.fromisoformat(mark["since"])
    filters: Filters = {
        "user_id": store.settings.user_id,
        "NOT": [{"mode": str(Mode.BACKTEST)}],
    }
    pulled = _pull(store, filters, since)
    if pulled.latest is not None:
        # A writer whose clock is far ahead must not make us miss everybody else. Where nothing
        # came, our own clock, which may be ahead as well, says nothing.
        latest = min(pulled.latest, datetime.now(UTC))
        store.marks.set(name, {"since": (latest - OVERLAP).isoformat()})
    return pulled


class MemorySync:
    """Pulls news in a background thread, every `sync_interval`.

    Parameters
    ----------
    store
        The memory.
    after_first
        Called once, when the first pull has succeeded. Until then nothing of a fresh journal is
        delivered: what Mem0 knows of the same trades is richer and must not be overwritten.
    """

    def __init__(self, store: MemoryFolder, after_first: Callable[[], None]) -> None:
        self._store = store
        self._after_first: Callable[[], None] | None = after_first
        self._breaker = breaker_for(store.settings.delivery)
        self._stop = threading.Event()
        self._warned: set[str] = set()
        self._thread: threading.Thread | None = None
        self.trouble = ""
        """What is wrong at this moment, for people; "" while all is well."""

    @property
    def alarm(self) -> str:
        """What an owner should hear of: Mem0 failed often in a row; "" otherwise."""
        return self.trouble if self._breaker.state is BreakerState.OPEN else ""

    def start(self) -> None:
        """Pull in a background thread from now on."""
        self._thread = threading.Thread(target=self._run, name="freqtrade-mem0-sync", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> bool:
        """Stop, waiting at most `timeout_s` for a pull under way; False when it goes on."""
        self._stop.set()
        if self._thread is None:
            return True
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        pause_s = 0.0
        while not self._stop.wait(pause_s):
            try:
                pulled = pull_news(self._store)
            except Exception as error:
                if not self.trouble:
                    known = isinstance(error, BackendError | JournalError)
                    logger.warning(
                        "%s What others remember is read again later.",
                        error,
                        exc_info=None if known else error,
                    )
                self.trouble = str(error)
                asked_s = error.retry_after_s if isinstance(error, BackendError) else None
                pause_s = self._breaker.failed(asked_s)
                continue
            self._breaker.succeeded()
            self.trouble = ""
            pause_s = self._store.settings.sync_interval
            self._tell(pulled)

    def _tell(self, pulled: Pulled) -> None:
        fresh = [sentence for sentence in pulled.skipped if sentence not in self._warned]
        self._warned = set(pulled.skipped)  # the overlap of two pulls names them again
        if fresh:
            rest = f" {len(fresh) - 1} more were left out." if len(fresh) > 1 else ""
            logger.warning("%s%s", fresh[0], rest)
        if self._after_first is not None:
            if pulled.n_new:
                logger.info("%d records came from Mem0 into the journal.", pulled.n_new)
            after_first, self._after_first = self._after_first, None
            after_first()


def _pull(
    store: MemoryFolder,
    filters: Filters,
    since: datetime | None,
    progress: Callable[[int], None] | None = None,
) -> Pulled:
    pulled = Pulled()
    promoted: dict[str, None] = {}
    memories = store.backend.changes(filters=filters, since=since)
    while batch := list(islice(memories, _BATCH)):
        records = _records_of(store, batch, pulled)
        pulled.n_new += store.journal.adopt(records)
        for record in records:
            if isinstance(record, Promotion) and record.is_active:
                promoted[record.source_run_id] = None
        if progress is not None:
            progress(len(batch))
    if "run_id" not in filters:
        for run_id in promoted:
            pulled.n_new += _pull_run(store, run_id)
    return pulled


def _records_of(store: MemoryFolder, memories: list[Memory], pulled: Pulled) -> list[Record]:
    """Return the records behind memories that may be news, and note in `pulled` what was seen."""
    known_ms = store.journal.recorded_ms([memory.id for memory in memories])
    records: list[Record] = []
    for memory in memories:
        pulled.n_read += 1
        if memory.stored_at is not None:
            pulled.latest = max(pulled.latest or memory.stored_at, memory.stored_at)
        noted_s = memory.metadata.get("recorded_ts")
        if (
            isinstance(noted_s, float)
            and known_ms.get(memory.id) == round(noted_s * 1_000)
            and memory.metadata.get("kind") != Promotion.kind  # its run may have to be read still
        ):
            continue  # ours, or read before: the overlap of two pulls is mostly this
        try:
            records.append(from_memory(memory) if is_record(memory) else note_of(memory))
        except RecordError as error:
            pulled.skipped.append(str(error))
    return records


def _pull_run(store: MemoryFolder, run_id: str) -> int:
    """Bring a promoted run, which an ordinary pull leaves out, into the journal.

    That it was read to its end is marked: a part of it may be there from a pull that broke off.
    """
    name = f"pulled run {store.home} {store.settings.user_id} {run_id}"
    if store.marks.get(name):
        return 0
    filters: Filters = {"user_id": store.settings.user_id, "run_id": run_id}
    n_new = _pull(store, filters, None).n_new
    store.marks.set(name, {"is_whole": True})
    return n_new
