"""Memories as they come from Mem0, checked one by one and made ready for the journal.

Reading, decoding, checking and encoding take longer than SQLite's writing. Where the whole of Mem0
is read, forked children do them, so that all cores of a machine work.
"""

from __future__ import annotations

import math
import threading
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.errors import BackendError, RecordError
from freqtrade_mem0.journal.forked import is_worthwhile
from freqtrade_mem0.journal.piped import piped
from freqtrade_mem0.journal.ready import Ready, all_briefs, made_ready
from freqtrade_mem0.records.block import trades_of
from freqtrade_mem0.records.codec import encode_decoded
from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.kinds.summary import TradeSummary
from freqtrade_mem0.records.mapping import from_memory, is_record, note_of, refuse_future
from freqtrade_mem0.records.signing import refuse_unsigned

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.journal.piped import Piped
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

_BATCH = 2_000

_REFUSALS = (RecordError, ValueError, OverflowError)

_CHILDREN = 2
"""With the process that writes, one more than two cores, as their parts of the work differ."""


class Arrived(NamedTuple):
    """Some memories."""

    n_read: int
    """How many Mem0 gave."""
    latest: str | None
    """ISO time at which the newest of them was stored; None where no memory has one."""
    refused: list[tuple[str, str]]
    """Id of a memory that can not be taken, and why."""
    ready: list[Ready]
    """The records that may be new to the journal."""


def arriving(
    store: MemoryFolder, filters: Filters, since: datetime | None = None
) -> Iterator[Arrived]:
    """Yield what Mem0 has and was stored `since`; raise `BackendError` where it can not be read."""
    for batch in _batches(store.backend.changes(filters=filters, since=since)):
        yield arrived(store, batch)


def arriving_beside(store: MemoryFolder, filters: Filters) -> Piped | None:
    """Return what forked children read, each as the fields of `Arrived`; None where none can.

    They can where this process has one thread: another one may hold a lock, of SQLite for example,
    which a child would wait for.
    """
    if threading.active_count() > 1 or not is_worthwhile():
        return None
    pages = store.backend.pages_for_children(filters, _BATCH)
    if len(pages) < _CHILDREN:
        return None
    store.journal.open()  # whatever there is to make or to migrate is done, and said, once
    store.journal.close()

    def every(first: int) -> Iterator[tuple[Any, ...]]:
        return (tuple(arrived(store, page())) for page in pages[first::_CHILDREN])

    return piped([partial(every, first) for first in range(_CHILDREN)])


def arrived(store: MemoryFolder, memories: Sequence[Memory]) -> Arrived:
    """Check memories one by one, and make their records ready for the journal."""
    now, key = datetime.now(UTC), store.settings.trust.secret()
    known_ms = store.journal.recorded_ms([memory.id for memory in memories])
    refused: list[tuple[str, str]] = []
    decoded: list[tuple[str, list[Record]]] = []
    for memory in memories:
        noted_s, ours_ms = memory.metadata.get("recorded_ts"), known_ms.get(memory.id)
        if (
            ours_ms is not None
            and isinstance(noted_s, float)
            # Not rounded, as infinity and NaN can not be.
            and math.isclose(noted_s * 1_000, ours_ms, rel_tol=0.0, abs_tol=0.5)
            and memory.metadata.get("kind") != Promotion.kind  # its run may have to be read still
        ):
            continue  # ours, or read before, as most of the overlap of two pulls is
        try:
            record = from_memory(memory, now) if is_record(memory) else note_of(memory)
            if key is not None and is_record(memory):
                refuse_unsigned(memory, key)
            trades = trades_of(record, memory) if isinstance(record, TradeSummary) else []
            for each in trades:
                refuse_future(each, now)
            decoded.append((memory.id, [record, *trades]))
        except _REFUSALS as error:
            refused.append((memory.id, str(error)))
    ready: list[Ready] = []
    brief_of = all_briefs([each for _, records in decoded for each in records])
    for memory_id, records in decoded:
        # What SQLite refuses must not hold up a batch.
        try:
            ready += [made_ready(each, encode_decoded(each), brief_of) for each in records]
        except _REFUSALS as error:
            refused.append((memory_id, str(error)))
    times = [memory.stored_at for memory in memories if memory.stored_at is not None]
    latest = max(times).isoformat() if times else None
    return Arrived(len(memories), latest, refused, ready)


def _batches(memories: Iterator[Memory]) -> Iterator[list[Memory]]:
    """Yield memories in batches; what came before a failure is a batch, and then it is raised."""
    failure: BackendError | None = None
    while failure is None:
        batch: list[Memory] = []
        try:
            batch.extend(islice(memories, _BATCH))
        except BackendError as error:
            failure = error
        if batch:
            yield batch
        elif failure is None:
            return
    raise failure
