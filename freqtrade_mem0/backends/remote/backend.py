"""The port over a server that assigns its own ids and may store a write whose answer was lost.

A write has its effect once: it is noted before it is sent and after it is answered (`remote_ids`),
one with an unknown end is looked up before it is sent again, and where two copies come to be all
the same, the newer one counts and the older one is deleted with the next write.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.http import Patience, RemoteError
from freqtrade_mem0.backends.remote.ids import FORGOTTEN, RemoteIds
from freqtrade_mem0.backends.remote.writing import Writing
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters, GroupKey
    from freqtrade_mem0.backends.remote.copy import RemoteCopy
    from freqtrade_mem0.backends.remote.store import RemoteStore
    from freqtrade_mem0.records.memory import Memory

OpenIds: TypeAlias = "Callable[[str], RemoteIds]"
"""Opens what notes the remote ids of a destination."""

_GROWTH = 8
_LEFT_TO_THE_PARENT: list[object] = []


class RemoteBackend:
    """`MemoryBackend` over a `RemoteStore`; safe to share between threads, anew in each fork.

    Parameters
    ----------
    name
        For people: the mode it is used in.
    folder
        Where the file with the remote ids is kept.
    timeout_s
        Bound of one exchange, in seconds. A call without progress ends after a small multiple.
    connect
        Opens the store; called at first use, and again in a forked child. Gets what notes the
        remote ids of a destination.
    """

    def __init__(
        self,
        name: str,
        *,
        folder: Path,
        timeout_s: float,
        connect: Callable[[OpenIds], RemoteStore],
    ) -> None:
        self.name = name
        self._folder = folder
        self._timeout_s = timeout_s
        self._connect = connect
        self._is_closed = False
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._lock = threading.RLock()  # of what is open
        self._writing_lock = threading.RLock()  # one write or deletion at a time
        self._store: RemoteStore | None = None
        self._ids: RemoteIds | None = None
        self._pid = os.getpid()  # last: who sees it sees the rest

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of `memories`, or raise; see `MemoryBackend.write`.

        Returns when all of them are stored. What was stored before an error is not sent again when
        the same memories are written again.
        """
        with self._at_work("write") as (store, ids), self._writing_lock:
            # Checked as a whole first, so that a refused memory leaves nothing half-written.
            wanted = {each.id: _plain(each) for each in memories}
            if wanted:
                Writing(store, ids, Patience(self._timeout_s)).write(wanted)
                self._remove_surplus(store, ids)

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""
        with self._at_work("get") as (store, ids):
            known = ids.of([memory_id])
            for found in self._visible(ids, store.find_ids([memory_id], known)):
                if found.memory.id == memory_id:
                    return found.memory
            write = known.get(memory_id)
            if write is None:  # perhaps somebody else's, under the id that the server gave it
                there = store.one(memory_id)
                return None if there is None or there.is_ours else there.memory
            if write.remote_id is None or write.state == FORGOTTEN:
                return None
            there = store.one(write.remote_id)  # perhaps too new for the server's own look-up
            return None if there is None or there.memory.id != memory_id else there.memory

    def search(self, query: str, *, filters: Filters, limit: int) -> list[Memory]:
        """Return up to `limit` memories by the server's relevance; see `MemoryBackend.search`."""
        payload.check_search(query, filters)
        node = parse_filters(filters)
        with self._at_work("search") as (store, ids):
            if limit <= 0:
                return []
            n_asked = min(limit, store.most_per_search)
            while True:
                copies, is_more = store.search(query, filters, n_asked)
                found = [each.memory for each in self._visible(ids, copies)]
                found = [each for each in found if matches(node, payload.as_filterable(each))]
                if len(found) >= limit or not is_more or n_asked >= store.most_per_search:
                    return sorted(found, key=lambda each: -(each.score or 0.0))[:limit]
                n_asked = min(_GROWTH * n_asked, store.most_per_search)

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes, by `(created_at, id)`; see `MemoryBackend.scan`."""
        return iter(self._passing(filters, since=None))

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Yield what was stored at `since` or later; see `MemoryBackend.changes`."""
        return iter(self._passing(filters, since=since))

    def _passing(self, filters: Filters, since: datetime | None) -> list[Memory]:
        node = parse_filters(payload.stored_since(filters, since))
        with self._at_work("scan") as (store, ids):
            copies = self._visible(ids, store.listing(filters, since))
        found = [
            each.memory for each in copies if matches(node, payload.as_filterable(each.memory))
        ]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these memories; return how many were there."""
        with self._at_work("delete") as (store, ids), self._writing_lock:
            writing = Writing(store, ids, Patience(self._timeout_s))
            n_deleted = writing.delete(list(dict.fromkeys(memory_ids)))
            self._remove_surplus(store, ids)
            return n_deleted

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count memories that pass, in groups by `by`; it costs as much as a scan."""
        return payload.count_groups(self.scan(filters=filters), by)

    def close(self) -> None:
        """Close connections and the file of ids; closing twice is harmless."""
        self._part_from_the_parent()
        with self._lock:
            self._is_closed = True
            store, self._store = self._store, None
            ids, self._ids = self._ids, None
        if store is not None:
            store.close()
        if ids is not None:
            ids.close()

    def _visible(self, ids: RemoteIds, copies: Iterable[RemoteCopy]) -> list[RemoteCopy]:
        """Leave out older copies and what was deleted before it came to be seen; note them."""
        hidden = set(ids.surplus())
        counts, surplus = remote_copy.newest(c for c in copies if c.remote_id not in hidden)
        for memory_id, forgotten_at_s in ids.forgotten().items():
            copy = counts.get(memory_id)
            if copy is not None and copy.written_at.timestamp() <= forgotten_at_s:
                surplus.append(counts.pop(memory_id).remote_id)
        if surplus:
            ids.note_surplus(surplus)
        return list(counts.values())

    def _remove_surplus(self, store: RemoteStore, ids: RemoteIds) -> None:
        surplus = ids.surplus()
        if surplus:
            with suppress(RemoteError):  # they stay noted, and hidden
                store.remove(surplus)
                ids.note_surplus(surplus, is_gone=True)

    def _part_from_the_parent(self) -> None:
        """In a forked child, build anew: connections must not be used or closed here."""
        if self._pid != os.getpid():
            _LEFT_TO_THE_PARENT.append((self._store, self._ids, self._lock, self._writing_lock))
            self._start_afresh()

    @contextmanager
    def _at_work(self, what: str) -> Iterator[tuple[RemoteStore, RemoteIds]]:
        self._part_from_the_parent()
        try:
            yield self._opened()
        except BackendError:
            raise
        except UnicodeError as error:
            raise BackendError(
                f"The Mem0 {self.name} can not keep broken characters: {error}.", permanent=True
            ) from None
        except Exception as error:  # an answer of a shape that nobody told us about
            raise BackendError(
                f"The Mem0 {self.name} failed to {what}: {type(error).__name__}: {error}. Memories "
                "stay in the journal."
            ) from error

    def _opened(self) -> tuple[RemoteStore, RemoteIds]:
        with self._lock:
            if self._is_closed:
                raise BackendError(f"The Mem0 {self.name} is closed; open it anew to use it.")
            if self._store is None or self._ids is None:
                opened: dict[str, RemoteIds] = {}

                def open_ids(destination: str) -> RemoteIds:
                    return opened.setdefault(destination, RemoteIds(self._folder, destination))

                self._store = self._connect(open_ids)
                self._ids = open_ids(self._store.destination)
            return self._store, self._ids


def _plain(memory: Memory) -> Memory:
    """Return the memory with the plain values that a store keeps, or refuse it."""
    fields = payload.to_payload(memory, str)
    return replace(memory, metadata={key: fields[key] for key in memory.metadata})
