"""Shows the detectors all trades of a strategy in market order, however they arrive."""

from __future__ import annotations

from bisect import insort
from collections import deque
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.risk.events import Respond, noted
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, Position, Sequence, position_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Sequence as Ordered
    from datetime import datetime

    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

_ORDER = attrgetter("known_at", "id")


class Changes(NamedTuple):
    """What a look at the trades brought: events to note or to correct, and those that are none."""

    noted: Ordered[RiskEvent]
    gone: Ordered[RiskEvent]


_NO_CHANGES = Changes((), ())


class Wanted(NamedTuple):
    """Which trades have to be gone through again: all up to a place in market order.

    `request` tells one such wish from a later one.
    """

    until: Position | None
    request: int


class RiskWatch:
    """Notes what sequences of trades complete, as a function of the trades alone.

    A trade is shown to the detectors once the market is past its `known_at`, so that all trades of
    one moment are there and can be taken by id, whichever pair came first. What arrives later still
    (a stop filled while the bot was away), is corrected or taken back, has everything gone through
    again; what then turns out different is told.

    With a window, only the newest trades are kept whole, and the state of the detectors before
    them. A change behind that needs the trades from where they are kept (`wanted`,
    `take_history`); until they are brought, what is known goes on.

    Parameters
    ----------
    respond
        Words the response to an event.
    window
        How many trades that were shown are kept, at least 1; None for all of them.
    start
        What earlier trades left. Where its detectors are not known, nothing is shown before the
        history is brought.
    standing
        What was noted of trades behind it; what does not follow from them is told as gone.
    """

    def __init__(
        self,
        respond: Respond = noted,
        *,
        window: int | None = None,
        start: Checkpoint = BEGINNING,
        standing: Iterable[RiskEvent] = (),
    ) -> None:
        self._respond = respond
        self._window = window
        self._base = Sequence(respond, start)
        """Has seen what is not kept any more."""
        self._front = Sequence(respond, start)
        """Has seen all that was shown."""
        self._trades: dict[str, ClosedTrade] = {}
        """Those behind the base: shown or waiting."""
        self._shown: deque[ClosedTrade] = deque()
        """Shown behind the base, in market order; not kept without a window."""
        self._waiting: list[ClosedTrade] = []
        """Not shown yet, in market order."""
        self._shown_until = _moment_of(start.last)
        """`known_at` of the last trade that was shown."""
        self._events: dict[str, RiskEvent] = {event.id: event for event in standing}
        """Of the trades behind the base."""
        self._is_stale = bool(self._events)
        self._holds_back = start.detectors is None
        self._n_requests = int(self._holds_back)
        self._n_answered = 0

    @property
    def events(self) -> list[RiskEvent]:
        """What was noted of the trades that are kept and still holds, in market order."""
        return sorted(self._events.values(), key=_ORDER)

    @property
    def wanted(self) -> Wanted | None:
        """What has to be gone through again, from where it is kept; None where nothing has."""
        if self._n_requests == self._n_answered:
            return None
        return Wanted(self._base.last, self._n_requests)

    def checkpoint(self) -> Checkpoint | None:
        """Return the state before the trades that are kept; None where it is not right."""
        return None if self.wanted is not None else self._base.checkpoint()

    def add(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        """Take a closed trade, or its correction. Trades that are no evidence are left out.

        Parameters
        ----------
        trade
            Closed.
        earlier
            What was said of it before, where that is known.
        """
        kept = self._trades.get(trade.id, earlier)
        if kept is not None:
            if _matters(kept) == _matters(trade):
                return
            self.remove(kept)
        if not trade.is_evidence:
            return
        if self._is_behind_window(trade):
            self._n_requests += 1
            return
        self._trades[trade.id] = trade
        if self._shown_until is not None and trade.known_at <= self._shown_until:
            self._is_stale = True
        else:
            insort(self._waiting, trade, key=_ORDER)

    def remove(self, trade: ClosedTrade) -> None:
        """Take back a trade, as it was added last."""
        kept = self._trades.pop(trade.id, None)
        if kept is None:
            self._n_requests += trade.is_evidence and self._is_behind_window(trade)
        elif self._shown_until is None or kept.known_at > self._shown_until:
            self._waiting.remove(kept)
        else:
            self._is_stale = True

    def until(self, moment: datetime | None) -> Changes:
        """Go on to what became known strictly before a moment; return what that changed.

        Parameters
        ----------
        moment
            Aware UTC market time; None for all there is.
        """
        if self._holds_back:
            return _NO_CHANGES
        if self._is_stale:
            return self._again(moment)
        if not self._waiting or (moment is not None and self._waiting[0].known_at >= moment):
            return _NO_CHANGES
        found = self._show(moment)
        for event in found:
            self._events[event.id] = event
        if self._window is not None:
            self._let_go()
        return Changes(found, ()) if found else _NO_CHANGES

    def take_history(
        self,
        wanted: Wanted,
        history: Sequence,
        found: Ordered[RiskEvent],
        standing: Mapping[str, RiskEvent],
    ) -> Changes | None:
        """Go on from trades that were gone through again; what follows them is shown anew.

        Parameters
        ----------
        wanted
            What was asked for. Where more has changed since, nothing is done.
        history
            Was shown all trades up to there.
        found
            The events it found.
        standing
            Events that were noted of these trades, by id.

        Returns
        -------
        Changes or None
            What is different in them; None where they have to be gone through once more.
        """
        if wanted != self.wanted:
            return None
        self._n_answered = self._n_requests
        self._base, self._holds_back, self._is_stale = history, False, True
        right = {event.id for event in found}
        return Changes(
            [event for event in found if not _says_same(event, standing.get(event.id))],
            [
                event
                for event in standing.values()
                if event.id not in right and event.id not in self._events
            ],
        )

    def _is_behind_window(self, trade: ClosedTrade) -> bool:
        last = self._base.last
        return last is not None and position_of(trade) <= last

    def _let_go(self) -> None:
        """Keep no more than the window of what was shown; the base goes on over the others."""
        if self._window is None or self.wanted is not None:
            return
        while len(self._shown) > self._window:
            trade = self._shown.popleft()
            del self._trades[trade.id]
            for event in self._base.show(trade):
                self._events.pop(event.id, None)

    def _show(self, moment: datetime | None, was_until: datetime | None = None) -> list[RiskEvent]:
        """Show what is before a moment, and in any case what was shown before (clocks go back)."""
        found: list[RiskEvent] = []
        n_shown = 0
        for trade in self._waiting:
            was_shown = was_until is not None and trade.known_at <= was_until
            if moment is not None and trade.known_at >= moment and not was_shown:
                break
            n_shown += 1
            self._shown_until = trade.known_at
            found += self._front.show(trade)
        if self._window is not None:
            self._shown.extend(self._waiting[:n_shown])
        del self._waiting[:n_shown]
        return found

    def _again(self, moment: datetime | None) -> Changes:
        before, was_until = self._events, self._shown_until
        self._is_stale, self._shown_until = False, _moment_of(self._base.last)
        self._front = Sequence(self._respond, self._base.checkpoint())
        self._shown.clear()
        self._waiting = sorted(self._trades.values(), key=_ORDER)
        found = self._show(moment, was_until)
        self._events = {event.id: event for event in found}
        changes = Changes(
            [event for event in found if not _says_same(event, before.get(event.id))],
            [event for event in before.values() if event.id not in self._events],
        )
        self._let_go()
        return changes


def _moment_of(position: Position | None) -> datetime | None:
    return None if position is None else position[0]


def _matters(trade: ClosedTrade) -> tuple[object, ...]:
    return (
        trade.known_at,
        trade.profit_ratio,
        trade.exit_reason,
        trade.pair,
        trade.is_evidence,
        trade.origin,
    )


def _says_same(event: RiskEvent, other: RiskEvent | None) -> bool:
    """Tell whether two versions are of one fact; how it was answered may have been configured."""
    return other is not None and (
        (event.known_at, event.description, event.impact, event.pair)
        == (other.known_at, other.description, other.impact, other.pair)
    )
