"""What `RemoteBackend` needs of a remote Mem0 to keep the promises of `MemoryBackend`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.remote import copy as remote_copy
from freqtrade_mem0.backends.remote.http import RemoteError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.backends.remote.copy import RemoteCopy
    from freqtrade_mem0.backends.remote.http import Wire
    from freqtrade_mem0.backends.remote.ids import RemoteIds, Write
    from freqtrade_mem0.records.memory import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How a server answered a write: with an id, or with the id of an event to be followed."""

    remote_id: str | None = None
    event_id: str | None = None


class WriteFailed(Exception):  # noqa: N818 - an answer, raised and caught in this package
    """A server accepted a write and then did not store it."""


class RemoteStore(ABC):
    """One server. Methods raise `RemoteError`; reading may be repeated, `add` may not.

    Parameters
    ----------
    wire
        The connections.
    ids
        What is noted about the memories of this server.
    """

    most_per_search: int
    """The largest number of answers that one search can give."""

    has_clock: bool
    """See `copy.from_item`."""

    def __init__(self, wire: Wire, ids: RemoteIds) -> None:
        self.where = wire.where
        self.ids = ids
        self._wire = wire

    @abstractmethod
    def add(self, memory: Memory) -> Stored:
        """Store a memory that the server does not hold."""

    @abstractmethod
    def replace(self, there: RemoteCopy, memory: Memory) -> Stored | None:
        """Replace an older copy of a memory; None where the server can not do that."""

    @abstractmethod
    def follow(self, event_id: str) -> Stored | None:
        """Return how a write ended, None while it goes on; raise `WriteFailed` if it failed."""

    @abstractmethod
    def find(self, memories: Sequence[Memory], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Return all visible copies of these memories of ours."""

    @abstractmethod
    def find_ids(self, memory_ids: Sequence[str], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Return all visible copies of ours with these ids, of any owner."""

    @abstractmethod
    def listing(self, filters: Filters, since: datetime | None) -> list[RemoteCopy]:
        """Return at least all that pass `filters` and were stored at `since` or later."""

    @abstractmethod
    def search(self, query: str, filters: Filters, top_k: int) -> tuple[list[RemoteCopy], bool]:
        """Return the best of at least those that pass, and whether a larger `top_k` gives more."""

    @abstractmethod
    def remove(self, remote_ids: Iterable[str]) -> None:
        """Delete; an id that the server does not know is no error."""

    def one(self, remote_id: str) -> RemoteCopy | None:
        """Return one memory by the server's id, None where it has none."""
        try:
            item = self._item(remote_id)
        except RemoteError as error:
            if error.is_missing:
                return None
            raise
        return self._copy_of(item) if item else None

    def close(self) -> None:
        """Close the connections and the file of ids."""
        self._wire.close()
        self.ids.close()

    @abstractmethod
    def _item(self, remote_id: str) -> Mapping[str, Any] | None: ...

    def _copy_of(self, item: Mapping[str, Any]) -> RemoteCopy:
        return remote_copy.from_item(item, has_clock=self.has_clock)


def first_id(answer: Mapping[str, Any]) -> str | None:
    """Return the id of the first result in an answer to a write."""
    results = answer.get("results") or []
    for result in results if isinstance(results, list) else []:
        remote_id = result.get("id") or result.get("memory_id")
        if remote_id:
            return str(remote_id)
    return None
