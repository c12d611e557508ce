"""`MemoryBackend` over a server that chooses its own ids and may store what it did not answer.

A write has its effect once: it is noted before it is sent and after it is answered (`ids`), one
whose result is not known is looked up before it is sent again, and of two copies the newer one
counts and the older one is deleted with the next write.
"""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.http import Patience, RemoteError
from freqtrade_mem0.backends.remote.ids import FORGOTTEN
from freqtrade_mem0.backends.remote.writing import Writing
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.port import Filters, GroupKey
    from freqtrade_mem0.backends.remote.copy import RemoteCopy
    from freqtrade_mem0.backends.remote.store import RemoteStore
    from freqtrade_mem0.records.memory import Memory

_GROWTH = 8


class RemoteBackend:
    """`MemoryBackend` over a `RemoteStore`; safe to share between threads and to use in a fork.

    Parameters
    ----------
    name
        For people: the mode it is used in.
    connect
        Opens the store; called at first use, and again in a forked child.
    timeout_s
        Bound of one exchange, in seconds. A call may wait `http.CALL_TIMEOUTS` times that without
        progress.
    upkeep_limits
        See `MemoryBackend.upkeep_limits`.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], RemoteStore],
        timeout_s: float,
        *,
        upkeep_limits: Sequence[str],
    ) -> None:
        self.name = name
        self.upkeep_limits = upkeep_limits
        self._timeout_s = timeout_s
        self._connect = connect
        self._is_closed = False
        self._left_to_the_parent: list[object] = []
        self._start_afresh()

    def _start_afresh(self) -> None:
        self._lock = threading.RLock()  # of `_store` and `_is_closed`
        self._writing_lock = threading.RLock()  # one write or deletion at a time
        self._store: RemoteStore | None = None
        self._pid = os.getpid()  # last: a thread that sees it sees the rest

    def write(self, memories: Sequence[Memory]) -> None:
        """Store all of `memories`, or raise; see `MemoryBackend.write`.

        What was stored before an error is not sent again when the same memories are written again.
        """
        with self._opened("write") as store, self._writing_lock:
            # All are checked first, so that one that is refused leaves none written.
            wanted = {each.id: _as_stored(each) for each in memories}
            if wanted:
                Writing(store, Patience(self._timeout_s)).write(wanted)
                _remove_surplus(store)

    def get(self, memory_id: str) -> Memory | None:
        """Return one memory, or None where there is none with this id."""
        with self._opened("get") as store:
            known = store.ids.of([memory_id])
            for found in _visible(store, store.find_ids([memory_id], known)):
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
        with self._opened("search") as store:
            if limit <= 0:
                return []
            n_asked = min(limit, store.most_per_search)
            while True:
                copies, is_more = store.search(query, filters, n_asked)
                found = [each.memory for each in _visible(store, copies)]
                found = [each for each in found if matches(node, payload.as_filterable(each))]
                if len(found) >= limit or not is_more or n_asked >= store.most_per_search:
                    return sorted(found, key=lambda each: -(each.score or 0.0))[:limit]
                n_asked = min(_GROWTH * n_asked, store.most_per_search)

    def scan(self, *, filters: Filters) -> Iterator[Memory]:
        """Yield every memory that passes, by `(created_at, id)`; see `MemoryBackend.scan`."""
        return self.changes(filters=filters, since=None)

    def changes(self, *, filters: Filters, since: datetime | None) -> Iterator[Memory]:
        """Yield what was stored at `since` or later; see `MemoryBackend.changes`."""
        node = parse_filters(payload.stored_since(filters, since))
        with self._opened("read") as store:
            copies = _visible(store, store.listing(filters, since))
        found = [
            each.memory for each in copies if matches(node, payload.as_filterable(each.memory))
        ]
        return iter(sorted(found, key=lambda each: (each.created_at, each.id)))

    def delete(self, memory_ids: Sequence[str]) -> int:
        """Delete these memories; return how many were there."""
        with self._opened("delete") as store, self._writing_lock:
            writing = Writing(store, Patience(self._timeout_s))
            n_deleted = writing.delete(list(dict.fromkeys(memory_ids)))
            _remove_surplus(store)
            return n_deleted

    def count(self, *, filters: Filters, by: Sequence[str] = ()) -> Mapping[GroupKey, int]:
        """Count memories that pass, in groups by `by`; it costs as much as a scan."""
        return payload.count_groups(self.scan(filters=filters), by)

    def compress(self, memory_ids: Sequence[str]) -> int:  # noqa: ARG002 - no server can
        """Compress nothing: the server keeps the vectors."""
        self._refuse_if_closed()
        return 0

    def renew(self, limit: int) -> int:  # noqa: ARG002 - as `compress`
        """Renew nothing: the server embeds."""
        self._refuse_if_closed()
        return 0

    def sizes(self) -> Mapping[str, int]:
        """Return nothing: the server does not tell."""
        self._refuse_if_closed()
        return {}

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:  # noqa: ARG002 - no server can
        """Shrink nothing: the server's files are its own."""
        self._refuse_if_closed()
        return 0

    def pages_for_children(
        self,
        filters: Filters,  # noqa: ARG002
        size: int,  # noqa: ARG002
    ) -> Sequence[Callable[[], list[Memory]]]:
        """Return nothing: a server, not this process, is what takes time."""
        return []

    def close(self) -> None:
        """Close connections and the file of ids; closing twice is harmless."""
        self._part_from_the_parent()
        with self._lock:
            self._is_closed = True
            store, self._store = self._store, None
        if store is not None:
            store.close()

    def _part_from_the_parent(self) -> None:
        """In a forked child, build anew: connections must not be used or closed here."""
        if self._pid != os.getpid():
            self._left_to_the_parent += [self._store, self._lock, self._writing_lock]
            self._start_afresh()

    @contextmanager
    def _opened(self, what: str) -> Iterator[RemoteStore]:
        self._part_from_the_parent()
        try:
            yield self._connected()
        except BackendError:
            raise
        except UnicodeError as error:
            raise BackendError(
                f"The Mem0 {self.name} can not keep broken characters: {error}.", permanent=True
            ) from None
        except Exception as error:  # an answer of an unknown shape
            raise BackendError(
                f"The Mem0 {self.name} failed to {what}: {type(error).__name__}: {error}. Memories "
                "stay in the journal."
            ) from error

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise BackendError(f"The Mem0 {self.name} is closed; open it anew to use it.")

    def _connected(self) -> RemoteStore:
        with self._lock:
            self._refuse_if_closed()
            if self._store is None:
                self._store = self._connect()
            return self._store


def _visible(store: RemoteStore, copies: Iterable[RemoteCopy]) -> list[RemoteCopy]:
    """Leave out, and note, older copies and copies that were deleted before they were visible."""
    hidden = set(store.ids.surplus())
    counts, surplus = remote_copy.newest(c for c in copies if c.remote_id not in hidden)
    for memory_id, forgotten_at_s in store.ids.forgotten().items():
        copy = counts.get(memory_id)
        if copy is not None and copy.written_at.timestamp() <= forgotten_at_s:
            surplus.append(counts.pop(memory_id).remote_id)
    if surplus:
        store.ids.note_surplus(surplus)
    return list(counts.values())


def _remove_surplus(store: RemoteStore) -> None:
    surplus = store.ids.surplus()
    if surplus:
        with suppress(RemoteError):  # they stay noted, and hidden
            store.remove(surplus)
            store.ids.note_surplus(surplus, is_gone=True)


def _as_stored(memory: Memory) -> Memory:
    """Return the memory with the plain values that a store keeps, or refuse it."""
    fields = payload.to_payload(memory, str)
    return replace(memory, metadata={key: fields[key] for key in memory.metadata})
