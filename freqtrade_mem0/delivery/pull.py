"""Reads what others wrote into the shared Mem0 and adds it to the journal; recall follows that.

Each memory of ours carries its whole record, so the same code rebuilds a lost journal. Memories of
other people and tools become notes.
"""

from __future__ import annotations

import logging
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.arriving import Arrived, arrived, arriving, arriving_beside
from freqtrade_mem0.delivery.worker import Mem0Worker
from freqtrade_mem0.journal.ready import kind_of, record_in
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.kinds.summary import TradeSummary

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.memory_folder import MemoryFolder

logger = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=10)
"""How far before the newest memory a pull begins again: machines' clocks differ, and a batch
becomes visible only when all of it is stored."""

_LOOKED_INTO = (TradeSummary.kind, Promotion.kind)


@dataclass(slots=True, kw_only=True)
class Pulled:
    """What a pull did."""

    n_read: int = 0
    """Memories that Mem0 gave."""
    n_new: int = 0
    """Records that the journal did not have."""
    skipped: list[str] = field(default_factory=list)
    """Why memories were left out, one sentence each: written by a newer version, or damaged."""
    latest: datetime | None = None
    """Aware UTC time at which the newest of them was stored; None where no memory has one."""


def rebuild(store: MemoryFolder, progress: Callable[[int], None] | None = None) -> Pulled:
    """Add to the journal everything that Mem0 has and the journal has not.

    Of two versions of a record, the one recorded last counts. Sizing decisions are not in Mem0, so
    the ledger does not come back; what trades know of their entry does.

    Parameters
    ----------
    store
        The memory; not in mode "local".
    progress
        Called after each batch with the number of memories in it.

    Raises
    ------
    BackendError, JournalError
        Mem0 or the journal can not be used.
    """
    return _pull(store, {"user_id": store.settings.user_id}, None, progress)


def pull_news(store: MemoryFolder) -> Pulled:
    """Add to the journal what was stored in Mem0 since the last pull of any process.

    Backtests are left out unless they were promoted: a bot reads no other. The first pull of a
    journal reads everything else.

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
        # A writer whose clock is ahead must not make us miss the others. Where nothing came, our
        # own clock does not count: it may be ahead as well.
        latest = min(pulled.latest, datetime.now(UTC))
        store.marks.set(name, {"since": (latest - OVERLAP).isoformat()})
    return pulled


def pull_one(store: MemoryFolder, memory_id: str) -> None:
    """Add one memory to the journal as Mem0 has it; nothing where it is not there, or another's."""
    memory = store.backend.get(memory_id)
    if memory is None or memory.user_id != store.settings.user_id:
        return
    came = arrived(store, [memory])
    store.journal.put_aside("Mem0", dict(came.refused))
    store.journal.adopt_ready(came.ready)


class MemorySync(Mem0Worker):
    """Pulls news in a background thread, every `sync_interval`.

    Parameters
    ----------
    store
        The memory.
    after_first
        Called once, after the first pull. Until then a fresh journal delivers nothing: what Mem0
        knows of the same trades is richer and must not be overwritten.
    """

    consequence = "What others remember is read again later."

    def __init__(self, store: MemoryFolder, after_first: Callable[[], None]) -> None:
        super().__init__("freqtrade-mem0-sync", store.settings.delivery)
        self._store = store
        self._after_first: Callable[[], None] | None = after_first
        self._warned: set[str] = set()

    def _step(self) -> float:
        self._tell(pull_news(self._store))
        return self._store.settings.sync_interval

    def _tell(self, pulled: Pulled) -> None:
        fresh = [sentence for sentence in pulled.skipped if sentence not in self._warned]
        self._warned = set(pulled.skipped)  # two pulls overlap, so the next one names them again
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
    pull = _Pull(store, progress)
    beside = arriving_beside(store, filters) if since is None else None
    if beside is not None:
        with closing(beside):
            for fields in beside:
                pull.take(Arrived(*fields))
    if beside is None or not beside.is_whole:
        # What children have sent is in the journal already, and is passed over quickly.
        pull.pulled = Pulled(n_new=pull.pulled.n_new)
        for each in arriving(store, filters, since):
            pull.take(each)
    if "run_id" not in filters:
        for run_id in pull.promoted:
            pull.pulled.n_new += _pull_run(store, run_id)
    return pull.pulled


class _Pull:
    """A pull at work."""

    def __init__(self, store: MemoryFolder, progress: Callable[[int], None] | None) -> None:
        self._store = store
        self._progress = progress
        self.pulled = Pulled()
        self.promoted: dict[str, None] = {}
        """Runs that were promoted, in order."""

    def take(self, arrived: Arrived) -> None:
        """Add what arrived to the journal."""
        pulled, store = self.pulled, self._store
        pulled.n_read += arrived.n_read
        pulled.skipped += [why for _, why in arrived.refused]
        if arrived.latest is not None:
            latest = datetime.fromisoformat(arrived.latest)
            pulled.latest = max(pulled.latest or latest, latest)
        store.journal.put_aside("Mem0", dict(arrived.refused))
        pulled.n_new += store.journal.adopt_ready(arrived.ready)
        records = [record_in(each) for each in arrived.ready if kind_of(each) in _LOOKED_INTO]
        summaries = [each for each in records if isinstance(each, TradeSummary)]
        in_summary = [trade_id for summary in summaries for trade_id in summary.trades]
        if in_summary:
            store.aged.note_in_summary(in_summary)
        for record in records:
            if isinstance(record, Promotion) and record.is_active:
                self.promoted[record.source_run_id] = None
        if self._progress is not None:
            self._progress(arrived.n_read)


def _pull_run(store: MemoryFolder, run_id: str) -> int:
    """Add a promoted run to the journal, once; a mark says that it was read to its end."""
    name = f"pulled run {store.home} {store.settings.user_id} {run_id}"
    if store.marks.get(name):
        return 0
    filters: Filters = {"user_id": store.settings.user_id, "run_id": run_id}
    n_new = _pull(store, filters, None).n_new
    store.marks.set(name, {"is_whole": True})
    return n_new
