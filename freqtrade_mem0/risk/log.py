"""What a session notes of risk: from its trades, from candles, from protections.

It hands events to the journal, lets them damp what follows, and tells the owner. It has no lock of
its own: the session, which it belongs to, calls it under its lock.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.risk.damping import ActiveEvents, Damping
from freqtrade_mem0.risk.events import exit_event
from freqtrade_mem0.risk.market import lock_event, volatility_event
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, Sequence
from freqtrade_mem0.risk.watch import Changes, RiskWatch, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Sequence as Ordered
    from datetime import date, datetime

    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.decision import Reason
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade
    from freqtrade_mem0.risk.market import Lock

SEQUENCE_EVENTS = frozenset(
    {"losing_streak", "stop_loss_cluster", "drawdown", "win_rate_degradation"}
)
"""Types of the events that several trades complete."""

WINDOW = 500
"""Newest trades that a bot's detectors can go through again without the journal."""

_MARKET_EVENTS = frozenset({"volatility_regime_change", "protection_lock"})
"""Types of the events that no trade tells."""

_NOTED = 1_000
"""Newest market events of a bot that are known to have been noted."""

_SLACK = timedelta(days=2)
"""How far a bot's clock may go back: events are forgotten so much later than they wear off."""

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
    window
        How many trades are kept to be gone through again; None for all, as in a backtest.
    puts_off
        Whether trades may be looked at when all of them are there, as in a backtest. They are
        looked at as they come all the same where what they are damps the next stakes.
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
        window: int | None = None,
        puts_off: bool = False,
    ) -> None:
        self._window = window
        self._origin = origin
        self._keep = keep
        self._now = now
        self._damping = damping or Damping()
        # In shadow the decisions say what damping would do; the events say what is done.
        self._respond = (self._damping if applied else Damping()).response
        self._tell = tell
        self._active = ActiveEvents(self._damping)
        self._lasts = self._damping.lasts_at_most + _SLACK
        self._watch = RiskWatch(self._respond, window=window)
        self._puts_off = puts_off and not self._damping.severity
        self._put_off: list[ClosedTrade] = []
        self._noted: dict[str, RiskEvent] = {}
        """Those of candles and protections, by id."""
        self._volatile_on: dict[str, date] = {}
        """By pair: the last UTC day on which its range was noted to have jumped."""
        self._untold: Changes | None = None
        """What an earlier process did not come to hand over; until the first look."""

    @property
    def wanted(self) -> Wanted | None:
        """Which trades have to be gone through again, see `RiskWatch.wanted`."""
        return self._watch.wanted

    def checkpoint(self) -> Checkpoint | None:
        """Return what the detectors know of trades that are not kept; None while it is wrong."""
        return self._watch.checkpoint()

    def clear(self) -> None:
        """Forget everything: another run begins."""
        self._watch = RiskWatch(self._respond, window=self._window)
        self._put_off.clear()
        self._active.clear()
        self._noted.clear()
        self._volatile_on.clear()

    def replay(
        self,
        trades: Iterable[ClosedTrade],
        events: Iterable[RiskEvent],
        start: Checkpoint = BEGINNING,
    ) -> None:
        """Go on where an earlier process stopped; nobody is told of what happened then.

        Parameters
        ----------
        trades
            The recorded trades of the bot after `start`. Their events follow from them.
        events
            What the journal has of events: all that were noted of these trades, and of earlier ones
            what may still damp.
        start
            What the detectors know of earlier trades.
        """
        in_journal, standing = set(), []
        for event in events:
            in_journal.add(event.id)
            if event.event_type in _MARKET_EVENTS:
                self._note(event)
                self._count(event)
                if event.event_type == "volatility_regime_change":
                    self._volatile_on[event.pair] = event.known_at.date()
            elif start.last is not None and event.known_at <= start.last[0]:
                self._count(event)
            elif event.event_type in SEQUENCE_EVENTS:
                standing.append(event)
        self._watch = RiskWatch(self._respond, window=self._window, start=start, standing=standing)
        exits = []
        for trade in trades:
            exited = exit_event(trade, self._respond)
            if exited is not None:
                exits.append(exited)
                self._count(exited)
            self._take(trade)
        changes = self._watch.until(None)
        for event in self._watch.events:
            self._active.add(event)
        # The earlier process may have been killed between a trade and what it completed.
        missing = [event for event in exits if event.id not in in_journal]
        self._untold = Changes([*missing, *changes.noted], changes.gone)

    def closed(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        """Note what a closed trade, or a corrected one, is by the way it ended; watch it.

        Parameters
        ----------
        trade
            As it is recorded now.
        earlier
            As it was recorded before; None for a new one.
        """
        if self._puts_off and earlier is None:
            self._put_off.append(trade)
            return
        self._look_at(trade, earlier)

    def _look_at(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        event = exit_event(trade, self._respond)
        before = None if earlier is None else exit_event(earlier, self._respond)
        if before is not None and (event is None or event.id != before.id):
            self._withdraw(before, _GONE)
        if event is not None and event != before:
            self._news(event, is_known=before is not None)
        self._take(trade, earlier)

    def heard(self, trade: ClosedTrade) -> None:
        """Watch a trade of this bot that came back from Mem0; its own event came with it."""
        event = exit_event(trade, self._respond)
        if event is not None:
            self._count(event)
        self._take(trade)

    def reopened(self, trade: ClosedTrade, reason: str) -> None:
        """Take back a trade's event; what it completed goes at the next look."""
        event = exit_event(trade, self._respond)
        if event is not None:
            self._withdraw(event, reason)
        self._watch.remove(trade)

    def replayed(self) -> Sequence:
        """Return detectors at their beginning, to show them the trades that are `wanted`."""
        return Sequence(self._respond)

    def take_history(
        self,
        wanted: Wanted,
        history: Sequence,
        found: Ordered[RiskEvent],
        standing: Mapping[str, RiskEvent],
    ) -> bool:
        """Go on from trades that were gone through again; see `RiskWatch.take_history`.

        The owner is not told: these events are of long ago.
        """
        changes = self._watch.take_history(wanted, history, found, standing)
        if changes is None:
            return False
        for event in changes.gone:
            self._withdraw(event, _GONE)
        for event in changes.noted:
            self._news(event, is_known=True)
        return True

    def until(self, moment: datetime | None) -> None:
        """Note what trades completed strictly before a moment; None for all.

        Parameters
        ----------
        moment
            Aware UTC market time.
        """
        if self._puts_off:
            if moment is not None:
                return
            put_off, self._put_off = self._put_off, []
            for trade in put_off:
                self._look_at(trade)
        untold, self._untold = self._untold, None
        if untold is not None:
            for event in untold.noted:
                self._keep(event)
            for event in untold.gone:
                self._withdraw(event, _GONE)
        if moment is not None and self._window is not None:
            self._active.forget_before(moment - self._lasts)
        noted, gone = self._watch.until(moment)
        for event in gone:
            self._withdraw(event, _GONE)
        for event in noted:
            self._news(event)

    def locked(self, locks: Iterable[Lock]) -> None:
        """Note the locks among some that a protection made because of losses."""
        for lock in locks:
            if lock.is_by_protection:
                event = lock_event(lock, self._origin, self._now(), self._respond)
                if event.id not in self._noted:
                    self._note(event)
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
        self._note(event)
        self._news(event)

    def damp(
        self, multiplier: float, moment: datetime, pair: str
    ) -> tuple[float, tuple[Reason, ...]]:
        """Return a damped multiplier and why; see `ActiveEvents.damp`."""
        if not self._active:
            return multiplier, ()
        return self._active.damp(multiplier, moment, pair)

    def leverage_factor(self, moment: datetime, pair: str) -> float:
        """Return the factor on an entry's leverage; 1.0 where leverage is not to be damped."""
        return self._active.factor(moment, pair) if self._damping.leverage else 1.0

    def submit_again(self, trades: Iterable[ClosedTrade]) -> None:
        """Hand over all that is kept once more; what the journal has, it skips.

        Parameters
        ----------
        trades
            Those whose own events are handed over, too.
        """
        exits = (exit_event(trade, self._respond) for trade in trades)
        for event in (*exits, *self._noted.values(), *self._watch.events):
            if event is not None:
                self._keep(event)

    def _take(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        # A bot's database may hold trades of a strategy it ran before.
        if trade.origin.strategy == self._origin.strategy:
            self._watch.add(trade, earlier)

    def _note(self, event: RiskEvent) -> None:
        self._noted[event.id] = event
        if self._window is not None and len(self._noted) >= 2 * _NOTED:
            for event_id in list(islice(self._noted, _NOTED)):
                del self._noted[event_id]

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
