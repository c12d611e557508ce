"""Connections that send nothing, or too slowly, take no place from those that ask.

One has to send the headers of a request within `HEADERS_S`. Where `MOST_OPEN` are open, a new one
takes the place of the one that has been without a request for longest, at the address that has
the most of these.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

HEADERS_S = 10.0
MOST_OPEN = 800


class Connection(H11Protocol):
    """One connection, as Uvicorn makes them."""

    _waits: asyncio.TimerHandle | None = None
    idle_since_s = 0.0

    @property
    def is_idle(self) -> bool:
        """Whether no request is being answered."""
        cycle: Any = self.cycle  # None before the first request
        return cycle is None or cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        """Make room for a new connection, and begin to wait for its request."""
        if len(self.connections) >= MOST_OPEN:
            _make_room([each for each in self.connections if isinstance(each, Connection)])
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Read data; headers that come bit by bit do not prolong the wait."""
        super().data_received(data)
        if not self.is_idle:
            self._wait_no_more()
        elif self._waits is None:
            self._wait()

    def on_response_complete(self) -> None:
        """Note that the next request is waited for, which Uvicorn limits until data comes."""
        self.idle_since_s = self.loop.time()
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """End the wait."""
        self._wait_no_more()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self.idle_since_s = self.loop.time()
        self._waits = self.loop.call_later(HEADERS_S, self._give_up)

    def _wait_no_more(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _give_up(self) -> None:
        self._waits = None
        if self.is_idle:
            self.transport.close()


def _make_room(connections: list[Connection]) -> None:
    idle = [each for each in connections if each.is_idle and not each.transport.is_closing()]
    counts = Counter(each.client and each.client[0] for each in idle)
    if idle:
        (crowded, _), *_ = counts.most_common(1)
        theirs = (each for each in idle if (each.client and each.client[0]) == crowded)
        min(theirs, key=lambda each: each.idle_since_s).transport.close()
