"""Notes what memory did to each entry in Freqtrade's trade database, where FreqUI finds it.

A callback only puts a note into a queue: a commit with SQLite takes milliseconds, and waits for
other writers. The bot's chores write it.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide.explain import brief
from freqtrade_mem0.host.trade_notes import TradeNote, write_notes

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.records.decision import Decision

_KEPT = 1_000
"""Notes that wait at most; of more, the oldest is dropped."""


class TradeNotes:
    """Notes that wait to be written to the trade database."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, str, Callable[[], Decision]]] = deque(maxlen=_KEPT)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, trade: Any, decision: Callable[[], Decision]) -> None:
        """Add a note on the trade that a decision opened; never blocks."""
        self._waiting.append((trade.id, trade.pair, decision))

    def write(self, *, own_thread: bool) -> None:
        """Write all that wait; what fails is not lost, and tried again with the next call."""
        while self._waiting:
            first = self._waiting[0]
            trade_id, pair, decision = first
            note = TradeNote(trade_id, pair, _value(decision()))
            write_notes([note], own_thread=own_thread)
            if self._waiting and self._waiting[0] is first:
                self._waiting.popleft()


def _value(decision: Decision) -> dict[str, Any]:
    return {
        "multiplier": round(decision.multiplier, 4),
        "proposed_stake": decision.proposed_stake,
        "stake": decision.stake,
        "applied": decision.applied,
        "why": brief(decision),
        "decision_id": decision.id,
    }
