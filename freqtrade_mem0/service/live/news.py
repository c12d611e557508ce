"""The stream of news: server-sent events whose id is the journal's sequence.

The sequence is the number of items in the journal's chain: each record and each decision that is
written, and each decision that is tied to its trade, has one. So a browser that was away says the
last number that it has seen, and gets what came since, once.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.journal import chain

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.journal.scope import Scope

MOST_STREAMS = 64
"""Streams at once; a browser has one, however many pages it shows."""

POLL_S = 0.5
HEARTBEAT_S = 15.0
LASTS_S = 300.0
"""A stream ends after this time and the browser asks again, so that a revoked key sees no more."""


class News:
    """The streams of one journal; its methods may be called in any thread.

    Parameters
    ----------
    journal
        Read only.
    poll_s, heartbeat_s, lasts_s
        Seconds between two looks and between two signs of life, and of a whole stream.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        poll_s: float = POLL_S,
        heartbeat_s: float = HEARTBEAT_S,
        lasts_s: float = LASTS_S,
    ) -> None:
        self._journal = journal
        self._poll_s, self._heartbeat_s, self._lasts_s = poll_s, heartbeat_s, lasts_s
        self._lock = threading.Lock()
        self._n_streams = 0
        self._is_stopped = threading.Event()
        self._seen = (float("-inf"), 0)
        """When the end of the sequence was looked up, and what it was."""

    def stop(self) -> None:
        """End all streams at their next look."""
        self._is_stopped.set()

    @property
    def n_streams(self) -> int:
        """How many streams there are now."""
        return self._n_streams

    def enter(self) -> bool:
        """Count a stream; False where there are too many. Who entered must `leave`."""
        with self._lock:
            if self._n_streams >= MOST_STREAMS:
                return False
            self._n_streams += 1
            return True

    def leave(self) -> None:
        """Count a stream that has ended."""
        with self._lock:
            self._n_streams -= 1

    def end(self) -> int:
        """Return the number of the last item; what other streams looked up just now is taken."""
        with self._lock:
            at_s, n = self._seen
            if time.monotonic() - at_s < self._poll_s / 2:
                return n
        found = 0
        if self._journal.path.exists():
            (found,) = self._journal.connection.row("SELECT coalesce(max(n), 0) FROM chain")
        with self._lock:
            self._seen = time.monotonic(), found
        return found

    def since(self, scope: Scope, after: int, end: int) -> dict[str, int]:
        """Return how much of each kind is new in a scope, from item to item."""
        where, values = scope.where(prefix="r.")
        by_kind = self._journal.connection.rows(
            "SELECT r.kind, count(*) FROM chain JOIN records AS r ON r.seq = chain.row"  # noqa: S608
            f" WHERE chain.n > ? AND chain.n <= ? AND chain.kind = {chain.RECORD} AND {where}"
            " GROUP BY r.kind",
            [after, end, *values],
        )
        where, values = scope.where(prefix="d.", with_kind=False)
        decided = self._journal.connection.row(
            "SELECT count(DISTINCT d.seq) FROM chain"  # noqa: S608 - as above
            " JOIN decisions AS d ON d.seq = chain.row"
            f" WHERE chain.n > ? AND chain.n <= ? AND chain.kind = {chain.DECISION} AND {where}",
            [after, end, *values],
        )
        return dict(by_kind) | ({"decision": decided[0]} if decided[0] else {})

    async def stream(self, scope: Scope, after: int | None) -> AsyncGenerator[str, None]:
        """Yield the events of a scope after an item; None begins with what comes from now on.

        Whoever calls has entered; the end of the stream leaves.
        """
        try:
            began_s = time.monotonic()
            async for text in self._events(scope, after):
                yield text
                if time.monotonic() - began_s > self._lasts_s or self._is_stopped.is_set():
                    return
        finally:
            self.leave()

    async def _events(self, scope: Scope, after: int | None) -> AsyncGenerator[str, None]:
        end = await self._ask(after)
        at = end if after is None or after > end else after
        # A browser that knows more than there is has seen a journal that was replaced since.
        yield f"retry: 2000\n\n{_event(at, {'all': 1} if after not in {None, at} else {})}"
        alive_s = time.monotonic()
        while True:
            end = await self._ask(at)
            if end != at:
                new = (
                    await asyncio.to_thread(self.since, scope, at, end) if end > at else {"all": 1}
                )
                at = end
                yield _event(at, new)
                alive_s = time.monotonic()
            elif time.monotonic() - alive_s > self._heartbeat_s:
                yield ": still here\n\n"
                alive_s = time.monotonic()
            if self._is_stopped.is_set():
                return
            await asyncio.sleep(self._poll_s)

    async def _ask(self, known: int | None) -> int:
        try:
            return await asyncio.to_thread(self.end)
        except Mem0Error:  # the page itself says what is wrong with the journal
            return known or 0


def _event(n: int, new: dict[str, int]) -> str:
    """Return an event; without news it only tells the browser how far it is."""
    return f"id: {n}\ndata: {json.dumps(new)}\n\n" if new else f"id: {n}\n\n"
