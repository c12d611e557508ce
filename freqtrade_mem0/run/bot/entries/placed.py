"""Decisions whose entry order is not filled yet, and which trade each of them opened.

An order can be filled long after its decision, time out, or wait beside others of the same pair
(position stacking). Freqtrade's callbacks have no link between the two.
"""

from __future__ import annotations

from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.records.base import as_utc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from freqtrade_mem0.records.decision import Decision

_KEPT = 100
"""Newest decisions kept per pair and side; the orders of older ones have timed out."""

_ORDER_DELAY = timedelta(minutes=5)
"""Longest time between a decision and the placing of its order; Freqtrade does both at once."""


class _Waiting(NamedTuple):
    decided_at: datetime
    decision: Callable[[], Decision]


class PlacedDecisions:
    """A bot's decisions whose entry order has been placed and not filled yet."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[str, str], deque[_Waiting]] = {}

    def __contains__(self, entry: tuple[str, str]) -> bool:
        """Return whether a decision about a pair and side waits."""
        return bool(self._waiting.get(entry))

    def add(
        self, pair: str, side: str, decided_at: datetime, decision: Callable[[], Decision]
    ) -> None:
        """Add a decision; `decision` builds it when its order is filled."""
        waiting = self._waiting.get((pair, side))
        if waiting is None:
            waiting = self._waiting[pair, side] = deque(maxlen=_KEPT)
        waiting.append(_Waiting(decided_at, decision))

    def take_for(self, trade: Any) -> Callable[[], Decision] | None:
        """Remove the newest decision that can have opened a trade; return what builds it."""
        pair, side = trade.pair, trade.trade_direction
        waiting = self._waiting.get((pair, side), deque())
        for position in range(len(waiting) - 1, -1, -1):
            if self._can_have_opened(waiting[position].decided_at, trade):
                found = waiting[position]
                del waiting[position]
                return found.decision
        return None

    def take_since(self, pair: str, side: str, moment: datetime) -> Decision | None:
        """Take off the newest decision about an entry, where it is not older than a moment."""
        waiting = self._waiting.get((pair, side))
        if not waiting or waiting[-1].decided_at < moment:
            return None
        return waiting.pop().decision()

    def __iter__(self) -> Iterator[Decision]:
        for waiting in self._waiting.values():
            for each in waiting:
                yield each.decision()

    @staticmethod
    def _can_have_opened(decided_at: datetime, trade: Any) -> bool:
        placed = [order.order_date_utc for order in trade.orders if order.order_date is not None]
        if not placed:
            return False
        # An exchange's clock may run a little behind ours.
        return abs(as_utc(min(placed)) - decided_at) <= _ORDER_DELAY
