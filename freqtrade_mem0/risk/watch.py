"""Shows the detectors all trades of a strategy in market order, however they arrive."""

from __future__ import annotations

from bisect import insort
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.risk.detectors import Detector, all_detectors
from freqtrade_mem0.risk.events import Respond, event_of_trade, noted

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.records.risk import RiskEvent
    from freqtrade_mem0.records.trade import TradeRecord

_ORDER = attrgetter("known_at", "id")


class Changes(NamedTuple):
    """What a look at the trades brought: events to note or to correct, and those that are none."""

    noted: list[RiskEvent]
    gone: list[RiskEvent]


class RiskWatch:
    """Notes what sequences of trades complete, as a function of the trades alone.

    A trade is shown to the detectors once the market is past its `known_at`, so that all trades of
    one moment are there and can be taken by id, whichever pair came first. What arrives later still
    (a stop filled while the bot was away), is corrected or taken back, has everything gone through
    again; what then turns out different is told.

    Parameters
    ----------
    respond
        Words the response to an event.
    """

    def __init__(self, respond: Respond = noted) -> None:
        self._respond = respond
        self._trades: dict[str, TradeRecord] = {}
        self._waiting: list[TradeRecord] = []
        """Not shown yet, in market order."""
        self._shown_until: datetime | None = None
        """`known_at` of the last trade that was shown."""
        self._is_stale = False
        self._detectors: list[Detector] = all_detectors()
        self._events: dict[str, RiskEvent] = {}

    @property
    def events(self) -> list[RiskEvent]:
        """What was noted so far and still holds, in market order."""
        return sorted(self._events.values(), key=_ORDER)

    def add(self, trade: TradeRecord) -> None:
        """Take a closed trade, or its correction. Trades that are no evidence are left out."""
        earlier = self._trades.get(trade.id)
        if earlier is not None:
            if _matters(earlier) == _matters(trade):
                return
            self.remove(trade.id)
        if not trade.is_evidence:
            return
        self._trades[trade.id] = trade
        if self._shown_until is not None and trade.known_at <= self._shown_until:
            self._is_stale = True
        else:
            insort(self._waiting, trade, key=_ORDER)

    def remove(self, trade_id: str) -> None:
        """Take back a trade."""
        trade = self._trades.pop(trade_id, None)
        if trade is None:
            return
        if self._shown_until is None or trade.known_at > self._shown_until:
            self._waiting.remove(trade)
        else:
            self._is_stale = True

    def until(self, moment: datetime | None) -> Changes:
        """Go on to what became known strictly before a moment; return what that changed.

        Parameters
        ----------
        moment
            Aware UTC market time; None for all there is.
        """
        if self._is_stale:
            return self._again(moment)
        if not self._waiting or (moment is not None and self._waiting[0].known_at >= moment):
            return Changes([], [])
        found = self._show(moment)
        self._events.update((event.id, event) for event in found)
        return Changes(found, [])

    def _show(self, moment: datetime | None, was_until: datetime | None = None) -> list[RiskEvent]:
        """Show what is before a moment, and in any case what was shown before (clocks go back)."""
        found, n_shown = [], 0
        for trade in self._waiting:
            was_shown = was_until is not None and trade.known_at <= was_until
            if moment is not None and trade.known_at >= moment and not was_shown:
                break
            n_shown += 1
            self._shown_until = trade.known_at
            for detector in self._detectors:
                finding = detector.closed(trade)
                if finding is not None:
                    found.append(event_of_trade(trade, *finding, respond=self._respond))
        del self._waiting[:n_shown]
        return found

    def _again(self, moment: datetime | None) -> Changes:
        before, was_until = self._events, self._shown_until
        self._is_stale, self._shown_until = False, None
        self._detectors = all_detectors()
        self._waiting = sorted(self._trades.values(), key=_ORDER)
        found = self._show(moment, was_until)
        self._events = {event.id: event for event in found}
        return Changes(
            [event for event in found if before.get(event.id) != event],
            [event for event in before.values() if event.id not in self._events],
        )


def _matters(trade: TradeRecord) -> tuple[object, ...]:
    return (
        trade.known_at,
        trade.profit_ratio,
        trade.exit_reason,
        trade.pair,
        trade.is_evidence,
        trade.origin,
    )
