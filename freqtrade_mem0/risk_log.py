"""What a session notes of risk: from its trades, from candles, from protections.

It hands events to the journal, lets them damp what follows, and tells the owner. It has no lock of
its own: the session, which it belongs to, calls it under its lock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.retraction import retraction
from freqtrade_mem0.risk.damping import ActiveEvents, Damping
from freqtrade_mem0.risk.events import exit_event
from freqtrade_mem0.risk.market import lock_event, volatility_event
from freqtrade_mem0.risk.watch import Changes, RiskWatch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime

    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.decision import Reason
    from freqtrade_mem0.records.risk import RiskEvent
    from freqtrade_mem0.records.trade import TradeRecord
    from freqtrade_mem0.risk.market import Lock

_GONE = "the trades it followed from turned out different"


class RiskLog:
    """Notes each risk event of one run once.

    Parameters
    ----------
    origin
        The run.
    keep
        Takes records for the journal; never blocks.
    now
        Wall clock, for `recorded_at` only.
    damping
        How much events damp.
    applied
        False in shadow mode: nothing is damped, though decisions say what would be.
    tell
        Takes an event that is news, for the owner; never blocks.
    """

    def __init__(
        self,
        *,
        origin: Origin,
        keep: Callable[[Record], None],
        now: Callable[[], datetime],
        damping: Damping | None = None,
        applied: bool = True,
        tell: Callable[[RiskEvent], None] | None = None,
    ) -> None:
        self._origin = origin
        self._keep = keep
        self._now = now
        self._damping = damping or Damping()
        # In shadow the decisions say what damping would do; the events say what is done.
        self._respond = (self._damping if applied else Damping()).response
        self._tell = tell
        self._active = ActiveEvents(self._damping)
        self._watch = RiskWatch(self._respond)
        self._noted: dict[str, RiskEvent] = {}
        """Those of candles and protections, by id."""
        self._exits: dict[str, RiskEvent] = {}
        """By trade id: the event that the trade's exit is."""
        self._volatile_on: dict[str, date] = {}
        """By pair: the last UTC day on which its range was noted to have jumped."""
        self._unkept: list[RiskEvent] = []
        """What an earlier process did not come to hand over; until the first look."""

    def clear(self) -> None:
        """Forget everything: another run begins."""
        self._watch = RiskWatch(self._respond)
        self._active.clear()
        self._noted.clear()
        self._exits.clear()
        self._volatile_on.clear()

    def replay(self, trades: Iterable[TradeRecord], events: Iterable[RiskEvent]) -> None:
        """Go on where an earlier process stopped; nobody is told of what happened then.

        Parameters
        ----------
        trades
            All recorded trades of the bot. Their events follow from them.
        events
            What the journal has of events; those that no trade tells are taken up.
        """
        in_journal = set()
        for event in events:
            in_journal.add(event.id)
            if event.event_type in ("volatility_regime_change", "protection_lock"):
                self._noted[event.id] = event
                self._active.add(event)
                if event.event_type == "volatility_regime_change":
                    self._volatile_on[event.pair] = event.known_at.date()
        for trade in trades:
            exited = exit_event(trade, self._respond)
            if exited is not None:
                self._exits[trade.id] = exited
                self._count(exited)
            self._take(trade)
        for event in self._watch.until(None).noted:
            self._active.add(event)
        # The earlier process may have been killed between a trade and what it completed.
        self._unkept = [event for event in self._all() if event.id not in in_journal]

    def closed(self, trade: TradeRecord) -> None:
        """Note what a closed trade, or a corrected one, is by the way it ended; watch it."""
        event, earlier = exit_event(trade, self._respond), self._exits.pop(trade.id, None)
        if event is not None:
            self._exits[trade.id] = event
        if earlier is not None and (event is None or event.id != earlier.id):
            self._withdraw(earlier, _GONE)
        if event is not None and event != earlier:
            self._news(event, is_known=earlier is not None)
        self._take(trade)

    def heard(self, trade: TradeRecord) -> None:
        """Watch a trade of this bot that came back from Mem0; its own event came with it."""
        event = exit_event(trade, self._respond)
        if event is not None:
            self._exits[trade.id] = event
            self._count(event)
        self._take(trade)

    def reopened(self, trade: TradeRecord, reason: str) -> None:
        """Take back a trade's event; what it completed goes at the next look."""
        event = self._exits.pop(trade.id, None)
        if event is not None:
            self._withdraw(event, reason)
        self._watch.remove(trade.id)

    def until(self, moment: datetime | None) -> None:
        """Note what trades completed strictly before a moment; None for all.

        Parameters
        ----------
        moment
            Aware UTC market time.
        """
        unkept, self._unkept = self._unkept, []
        for event in unkept:
            self._keep(event)
        changes: Changes = self._watch.until(moment)
        for event in changes.gone:
            self._withdraw(event, _GONE)
        for event in changes.noted:
            self._news(event)

    def locked(self, locks: Iterable[Lock]) -> None:
        """Note the locks among some that a protection made because of losses."""
        for lock in locks:
            if lock.is_by_protection:
                event = lock_event(lock, self._origin, self._now(), self._respond)
                if event.id not in self._noted:
                    self._noted[event.id] = event
                    self._news(event)

    def ranged(self, pair: str, times_usual: float, moment: datetime) -> None:
        """Note that a pair's range has jumped, once a UTC day.

        Parameters
        ----------
        pair
            Which.
        times_usual
            Its range over what is usual.
        moment
            Aware UTC market time at which it was seen.
        """
        today = moment.date()
        if self._volatile_on.get(pair) == today:
            return
        self._volatile_on[pair] = today
        event = volatility_event(
            pair,
            times_usual,
            moment,
            origin=self._origin,
            recorded_at=self._now(),
            respond=self._respond,
        )
        self._noted[event.id] = event
        self._news(event)

    def damp(
        self, multiplier: float, moment: datetime, pair: str
    ) -> tuple[float, tuple[Reason, ...]]:
        """Return a damped multiplier and why; see `ActiveEvents.damp`."""
        return self._active.damp(multiplier, moment, pair)

    def leverage_factor(self, moment: datetime, pair: str) -> float:
        """Return the factor on an entry's leverage; 1.0 where leverage is not to be damped."""
        return self._active.factor(moment, pair) if self._damping.leverage else 1.0

    def submit_again(self) -> None:
        """Hand over all that was noted once more; what the journal has, it skips."""
        for event in self._all():
            self._keep(event)

    def _all(self) -> list[RiskEvent]:
        return [*self._exits.values(), *self._noted.values(), *self._watch.events]

    def _take(self, trade: TradeRecord) -> None:
        # A bot's database may hold trades of a strategy it ran before.
        if trade.origin.strategy == self._origin.strategy:
            self._watch.add(trade)

    def _news(self, event: RiskEvent, *, is_known: bool = False) -> None:
        self._count(event)
        self._keep(event)
        if self._tell is not None and not is_known:
            self._tell(event)

    def _withdraw(self, event: RiskEvent, reason: str) -> None:
        self._active.remove(event.id)
        self._keep(retraction(event, reason, self._now()))

    def _count(self, event: RiskEvent) -> None:
        if event.origin.strategy == self._origin.strategy:
            self._active.add(event)
