"""What a remote Mem0 has to offer, so that `RemoteBackend` can keep the port's promises with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.backends.remote.copy import RemoteCopy
    from freqtrade_mem0.backends.remote.ids import Write
    from freqtrade_mem0.records.memory import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How a server answered a write: at once with an id, or with an event to be followed."""

    remote_id: str | None = None
    event_id: str | None = None


class WriteFailed(Exception):  # noqa: N818 - an answer, raised and caught in this package
    """A server accepted a write and then did not store it."""


class RemoteStore(Protocol):
    """One server. Methods raise `RemoteError`; reading is safe to repeat, `add` is not."""

    where: str
    """Name of the server, for people."""

    destination: str
    """Name of the server (and project) that its ids belong to; no secret in it."""

    most_per_search: int
    """The largest number of answers that one search can give."""

    def add(self, memory: Memory) -> Stored:
        """Store a memory that is not there."""

    def replace(self, there: RemoteCopy, memory: Memory) -> Stored | None:
        """Put a memory in the place of its older copy; None where the server can not."""

    def follow(self, event_id: str) -> Stored | None:
        """Return how a write ended, None while it goes on; raise `WriteFailed` if it failed."""

    def one(self, remote_id: str) -> RemoteCopy | None:
        """Return one memory by the server's id."""

    def find(self, memories: Sequence[Memory], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Return all copies of these memories of ours that can be seen."""

    def find_ids(self, memory_ids: Sequence[str], known: Mapping[str, Write]) -> list[RemoteCopy]:
        """Return all copies of ours with these ids that can be seen, whoever owns them."""

    def listing(self, filters: Filters, since: datetime | None) -> list[RemoteCopy]:
        """Return at least all that pass `filters` and were stored at `since` or later."""

    def search(self, query: str, filters: Filters, top_k: int) -> tuple[list[RemoteCopy], bool]:
        """Return the best of at least those that pass, and whether asking for more gives more."""

    def remove(self, remote_ids: Iterable[str]) -> None:
        """Delete; what is not there is no error."""

    def close(self) -> None:
        """Release connections."""


def first_of(answer: Mapping[str, Any]) -> str | None:
    """Return the id of the first result in an answer to a write."""
    results = answer.get("results") or []
    for result in results if isinstance(results, list) else []:
        remote_id = result.get("id") or result.get("memory_id")
        if remote_id:
            return str(remote_id)
    return None
