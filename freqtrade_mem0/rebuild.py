"""Rebuilds a journal from Mem0: each memory carries its whole record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.mapping import from_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.store import Store

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebuilt:
    """What a rebuild did.

    Parameters
    ----------
    n_read
        Memories of this owner in Mem0.
    n_new
        Records that the journal did not have.
    skipped
        Why memories were left out, one sentence each: written by others, or by a newer version.
    """

    n_read: int
    n_new: int
    skipped: tuple[str, ...]


def rebuild(store: Store, progress: Callable[[int], None] | None = None) -> Rebuilt:
    """Bring into the journal what Mem0 has and the journal has not. Doing it again adds nothing.

    A record that the journal has is never replaced. Sizing decisions are not in Mem0: the ledger
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
    n_read, n_new, skipped = 0, 0, []
    batch: list[Record] = []
    for memory in store.backend.scan(filters={"user_id": store.settings.user_id}):
        n_read += 1
        try:
            batch.append(from_memory(memory))
        except RecordError as error:
            skipped.append(str(error))
        if len(batch) >= _BATCH:
            n_new += _keep(store, batch)
            batch = []
        if progress is not None:
            progress(1)
    n_new += _keep(store, batch)
    return Rebuilt(n_read=n_read, n_new=n_new, skipped=tuple(skipped))


def _keep(store: Store, records: list[Record]) -> int:
    known = store.journal.known_ids([record.id for record in records])
    fresh = [record for record in records if record.id not in known]
    n_new = store.journal.append(fresh)
    store.outbox.delivered_already([record.id for record in fresh])
    return n_new
