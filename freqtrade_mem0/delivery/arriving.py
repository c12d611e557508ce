"""Memories as they come from Mem0, checked one by one and made ready for the journal.

Reading, decoding, checking and encoding take longer than SQLite's writing. Where the whole of Mem0
is read, a forked child does them, so that both cores of a machine work.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.errors import BackendError, RecordError
from freqtrade_mem0.journal.piped import piped
from freqtrade_mem0.journal.ready import Ready, made_ready
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
    from freqtrade_mem0.records.memory import Memory

_BATCH = 2_000


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
    """Return what a forked child reads, each as the fields of `Arrived`; None where none can.

    It can where this process has one thread: another one may hold a lock, of SQLite for example,
    which the child would wait for.
    """
    if threading.active_count() > 1 or not store.backend.ready_to_fork():
        return None
    store.journal.open()  # whatever there is to make or to migrate is done, and said, once
    store.journal.close()
    return piped(lambda: map(tuple, arriving(store, filters)))


def arrived(store: MemoryFolder, memories: Sequence[Memory]) -> Arrived:
    """Check memories one by one, and make their records ready for the journal."""
    now, key = datetime.now(UTC), store.settings.trust.secret()
    known_ms = store.journal.recorded_ms([memory.id for memory in memories])
    refused: list[tuple[str, str]] = []
    ready: list[Ready] = []
    for memory in memories:
        noted_s = memory.metadata.get("recorded_ts")
        if (
            isinstance(noted_s, float)
            and known_ms.get(memory.id) == round(noted_s * 1_000)
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
            # What SQLite refuses must not hold up a batch.
            ready += [made_ready(each, encode_decoded(each)) for each in (record, *trades)]
        except (RecordError, ValueError, OverflowError) as error:
            refused.append((memory.id, str(error)))
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
