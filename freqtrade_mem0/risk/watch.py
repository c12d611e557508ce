"""Shows the detectors all trades of a strategy in market order, whatever order they arrive in."""

from __future__ import annotations

from bisect import insort
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.risk.damping import NO_DAMPING
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, Position, Sequence, position_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Sequence as Ordered
    from datetime import datetime

    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade
    from freqtrade_mem0.risk.event_record import Respond

_ORDER = attrgetter("known_at", "id")


class Changes(NamedTuple):
    """Events that are new or corrected, and events that no longer hold."""

    noted: Ordered[RiskEvent]
    gone: Ordered[RiskEvent]


_NO_CHANGES = Changes((), ())


class Wanted(NamedTuple):
    """Which trades have to be read again: all up to a position in market order.

    `request` tells one request from a later one.
    """

    until: Position | None
    request: int


class RiskWatch:
    """Notes what sequences of trades complete, as a function of the trades alone.

    A trade is shown to the detectors once the market is past its `known_at`: then all trades of
    that moment are there and can be sorted by id, whichever pair came first. A trade that arrives
    later than that (a stop filled while the bot was away), is corrected or is retracted makes the
    detectors go through the kept trades again, and the events that differ are returned.

    With a window, only the newest trades are kept, and the state of the detectors before them. A
    change before the window needs the trades from where they are stored (`wanted`,
    `take_history`); until they are given, the present events stand.

    Parameters
    ----------
    respond
        Words the response to an event.
    window
        How many trades that were shown are kept, at least 1; None for all of them.
    start
        The state after earlier trades. Where its detectors are not known, nothing is shown before
        the history is given.
    standing
        Events that were noted of trades after `start`. Those that do not follow from the trades
        are returned as gone.
    """

    def __init__(
        self,
        respond: Respond = NO_DAMPING.response,
        *,
        window: int | None = None,
        start: Checkpoint = BEGINNING,
        standing: Iterable[RiskEvent] = (),
    ) -> None:
        self._respond = respond
        self._window = window
        self._base = Sequence(respond, start)
        """Has been shown the trades that are no longer kept."""
        self._front = Sequence(respond, start)
        """Has been shown all trades up to now."""
        self._trades: dict[str, ClosedTrade] = {}
        """The trades after the base: shown or waiting."""
        self._shown: deque[ClosedTrade] = deque()
        """The shown ones among them, in market order; empty without a window."""
        self._waiting: list[ClosedTrade] = []
        """Those not shown yet, in market order."""
        self._shown_until = _moment_of(start.last)
        """`known_at` of the last trade that was shown."""
        self._events: dict[str, RiskEvent] = {event.id: event for event in standing}
        """Of the trades after the base."""
        self._is_stale = bool(self._events)
        self._holds_back = start.detectors is None
        self._n_requests = int(self._holds_back)
        self._n_answered = 0

    @property
    def events(self) -> list[RiskEvent]:
        """The events of the trades that are kept, in market order."""
        return sorted(self._events.values(), key=_ORDER)

    @property
    def wanted(self) -> Wanted | None:
        """Which stored trades have to be read again; None for none."""
        if self._n_requests == self._n_answered:
            return None
        return Wanted(self._base.last, self._n_requests)

    def checkpoint(self) -> Checkpoint | None:
        """Return the state before the trades that are kept; None where it is not right."""
        return None if self.wanted is not None else self._base.checkpoint()

    def add(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        """Add a closed trade, or its correction. Trades that are no evidence are left out.

        Parameters
        ----------
        trade
            Closed.
        earlier
            Its previous version, where it is known.
        """
        kept = self._trades.get(trade.id, earlier)
        if kept is not None:
            if _what_counts(kept) == _what_counts(trade):
                return
            self.remove(kept)
        if not trade.is_evidence:
            return
        if self._is_before_window(trade):
            self._n_requests += 1
            return
        self._trades[trade.id] = trade
        if self._shown_until is not None and trade.known_at <= self._shown_until:
            self._is_stale = True
        elif not self._waiting or self._waiting[-1].known_at < trade.known_at:  # nearly always
            self._waiting.append(trade)
        else:
            insort(self._waiting, trade, key=_ORDER)

    def remove(self, trade: ClosedTrade) -> None:
        """Remove a trade, given as it was added last."""
        kept = self._trades.pop(trade.id, None)
        if kept is None:
            self._n_requests += trade.is_evidence and self._is_before_window(trade)
        elif self._shown_until is None or kept.known_at > self._shown_until:
            self._waiting.remove(kept)
        else:
            self._is_stale = True

    def until(self, moment: datetime | None) -> Changes:
        """Show the trades known strictly before an aware UTC market time, None for all trades."""
        if self._holds_back:
            return _NO_CHANGES
        if self._is_stale:
            return self._show_again(moment)
        if not self._waiting or (moment is not None and self._waiting[0].known_at >= moment):
            return _NO_CHANGES
        events = self._show(moment)
        for event in events:
            self._events[event.id] = event
        self._shrink_to_window()
        return Changes(events, ()) if events else _NO_CHANGES

    def take_history(
        self,
        wanted: Wanted,
        history: Sequence,
        found: Ordered[RiskEvent],
        standing: Mapping[str, RiskEvent],
    ) -> Changes | None:
        """Continue from a sequence that was shown the wanted trades; later trades are shown again.

        Parameters
        ----------
        wanted
            The request. If there has been another one since, nothing is done.
        history
            Was shown all trades up to there.
        found
            The events it returned.
        standing
            The events that had been noted of these trades, by id.

        Returns
        -------
        Changes or None
            What differs between `found` and `standing`; None where the trades have to be read once
            more.
        """
        if wanted != self.wanted:
            return None
        self._n_answered = self._n_requests
        self._base, self._holds_back, self._is_stale = history, False, True
        changes = _difference(found, standing)
        return changes._replace(
            gone=[event for event in changes.gone if event.id not in self._events]
        )

    def _is_before_window(self, trade: ClosedTrade) -> bool:
        last = self._base.last
        return last is not None and position_of(trade) <= last

    def _shrink_to_window(self) -> None:
        """Show the oldest trades to the base, so that no more than the window is kept."""
        if self._window is None or self.wanted is not None:
            return
        while len(self._shown) > self._window:
            trade = self._shown.popleft()
            del self._trades[trade.id]
            for event in self._base.show(trade):
                self._events.pop(event.id, None)

    def _show(self, moment: datetime | None, was_until: datetime | None = None) -> list[RiskEvent]:
        """Show waiting trades before a moment, and any up to `was_until` (clocks may go back)."""
        events: list[RiskEvent] = []
        n_shown = 0
        for trade in self._waiting:
            was_shown = was_until is not None and trade.known_at <= was_until
            if moment is not None and trade.known_at >= moment and not was_shown:
                break
            n_shown += 1
            self._shown_until = trade.known_at
            events += self._front.show(trade)
        if self._window is not None:
            self._shown.extend(self._waiting[:n_shown])
        del self._waiting[:n_shown]
        return events

    def _show_again(self, moment: datetime | None) -> Changes:
        before, was_until = self._events, self._shown_until
        self._is_stale, self._shown_until = False, _moment_of(self._base.last)
        self._front = Sequence(self._respond, self._base.checkpoint())
        self._shown.clear()
        self._waiting = sorted(self._trades.values(), key=_ORDER)
        events = self._show(moment, was_until)
        self._events = {event.id: event for event in events}
        self._shrink_to_window()
        return _difference(events, before)


def _moment_of(position: Position | None) -> datetime | None:
    return None if position is None else position[0]


def _what_counts(trade: ClosedTrade) -> tuple[object, ...]:
    return (
        trade.known_at,
        trade.profit_ratio,
        trade.exit_reason,
        trade.stop_sold_part,
        trade.pair,
        trade.is_evidence,
        trade.origin,
    )


def _difference(events: Ordered[RiskEvent], before: Mapping[str, RiskEvent]) -> Changes:
    ids = {event.id for event in events}
    return Changes(
        [event for event in events if not _is_same_fact(event, before.get(event.id))],
        [event for event in before.values() if event.id not in ids],
    )


def _is_same_fact(event: RiskEvent, other: RiskEvent | None) -> bool:
    """Compare all but the response, which depends on the settings at that time."""
    return other is not None and _fact(event) == _fact(other)


def _fact(event: RiskEvent) -> tuple[object, ...]:
    # Earlier versions wrote "-22.78% below its peak"; what is recorded keeps its text.
    return event.known_at, event.description.replace(" -", " "), event.impact, event.pair
