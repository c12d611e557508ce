"""What a session notes of risk: from its trades, from candles, from protections.

It hands events to the journal, damps the stakes that follow, and tells the owner. It has no lock of
its own: its session calls it while holding the session's lock.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import islice
from typing import TYPE_CHECKING

from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.risk.damping import NO_DAMPING, ActiveEvents, Damping
from freqtrade_mem0.risk.event_record import exit_events, observed_event, observed_id
from freqtrade_mem0.risk.event_type import RangeJump
from freqtrade_mem0.risk.events import EVENT_TYPES, MARKET_TYPES, SEQUENCE_TYPES
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, Sequence
from freqtrade_mem0.risk.watch import Changes, RiskWatch, Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from collections.abc import Sequence as Ordered
    from datetime import datetime

    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade
    from freqtrade_mem0.risk.damping import Damped
    from freqtrade_mem0.risk.event_type import Lock, Observed

WINDOW = 500
"""Newest trades that a bot's detectors can go through again without the journal."""

_N_OBSERVED = 1_000
"""A bot knows at least this many of the newest market events that it has noted."""

_SLACK = timedelta(days=2)
"""How far a bot's clock may go back: events are kept this much longer than they damp."""

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
        Takes a new event, for the owner; never blocks.
    window
        How many trades are kept to be gone through again; None for all, as in a backtest.
    puts_off
        Whether trades may be examined at the end of the run, as in a backtest. They are examined
        as they come all the same where their events damp the next stakes.
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
        self._damping = damping or NO_DAMPING
        # In shadow the decisions say what damping would do; the events say what is done.
        self._respond = (self._damping if applied else NO_DAMPING).response
        self._tell = tell
        self._active = ActiveEvents(self._damping)
        self._lasts = self._damping.is_open_for + _SLACK
        self._watch = RiskWatch(self._respond, window=window)
        self._puts_off = puts_off and not self._damping.severity
        self._put_off: list[ClosedTrade] = []
        self._observed: dict[str, RiskEvent] = {}
        """Events of candles and protections that were noted, by id."""
        self._unwritten: Changes | None = None
        """What an earlier process was killed before handing over; until the first look."""

    @property
    def wanted(self) -> Wanted | None:
        """Which trades have to be read again, see `RiskWatch.wanted`."""
        return self._watch.wanted

    def checkpoint(self) -> Checkpoint | None:
        """Return the detectors' state before the trades that are kept; None while it is wrong."""
        return self._watch.checkpoint()

    def clear(self) -> None:
        """Forget everything: another run begins."""
        self._watch = RiskWatch(self._respond, window=self._window)
        self._put_off.clear()
        self._active.clear()
        self._observed.clear()

    def replay(
        self,
        trades: Iterable[ClosedTrade],
        events: Iterable[RiskEvent],
        start: Checkpoint = BEGINNING,
    ) -> None:
        """Continue where an earlier process stopped; the owner is not told again.

        Parameters
        ----------
        trades
            The recorded trades of the bot after `start`. Their events follow from them.
        events
            Events in the journal: all that were noted of these trades, and of earlier trades those
            that may still damp.
        start
            The detectors' state after earlier trades.
        """
        in_journal, standing = set(), []
        for event in events:
            in_journal.add(event.id)
            if event.event_type in MARKET_TYPES:
                self._remember_observed(event)
                self._activate(event)
            elif start.last is not None and event.known_at <= start.last[0]:
                self._activate(event)
            elif event.event_type in SEQUENCE_TYPES:
                standing.append(event)
        self._watch = RiskWatch(self._respond, window=self._window, start=start, standing=standing)
        exits = []
        for trade in trades:
            for exited in exit_events(trade, self._respond):
                exits.append(exited)
                self._activate(exited)
            self._watch_trade(trade)
        changes = self._watch.until(None)
        for event in self._watch.events:
            self._active.add(event)
        # The earlier process may have been killed between a trade and what it completed.
        missing = [event for event in exits if event.id not in in_journal]
        self._unwritten = Changes([*missing, *changes.noted], changes.gone)

    def closed(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        """Note the event that a closed trade is, and watch what it completes.

        Parameters
        ----------
        trade
            As it is recorded now.
        earlier
            As it was recorded before; None for a new trade.
        """
        if self._puts_off and earlier is None:
            self._put_off.append(trade)
        else:
            self._examine(trade, earlier)

    def heard(self, trade: ClosedTrade) -> None:
        """Watch a trade of this bot that came back from Mem0; its own event came with it."""
        for event in exit_events(trade, self._respond):
            self._activate(event)
        self._watch_trade(trade)

    def heard_of(self, events: Iterable[RiskEvent]) -> None:
        """Take events of the market that another process noted; others follow from its trades."""
        for event in events:
            if event.event_type in MARKET_TYPES:
                self._remember_observed(event)
                self._activate(event)

    def reopened(self, trade: ClosedTrade, reason: str) -> None:
        """Retract a trade's events; what the trade completed is retracted at the next look."""
        for event in exit_events(trade, self._respond):
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
        """Continue from trades that were read again; see `RiskWatch.take_history`.

        The owner is not told: these events are old.
        """
        changes = self._watch.take_history(wanted, history, found, standing)
        if changes is None:
            return False
        for event in changes.gone:
            self._withdraw(event, _GONE)
        for event in changes.noted:
            self._note(event, is_news=False)
        return True

    def until(self, moment: datetime | None) -> None:
        """Note what trades completed strictly before an aware UTC market time; None for all."""
        if self._puts_off:
            if moment is not None:
                return
            put_off, self._put_off = self._put_off, []
            for trade in put_off:
                self._examine(trade)
        unwritten, self._unwritten = self._unwritten, None
        if unwritten is not None:
            for event in unwritten.noted:
                self._keep(event)
            for event in unwritten.gone:
                self._withdraw(event, _GONE)
        if moment is not None and self._window is not None and len(self._active) > 0:
            self._active.forget_before(moment - self._lasts)
        noted, gone = self._watch.until(moment)
        for event in gone:
            self._withdraw(event, _GONE)
        for event in noted:
            self._note(event)

    def locked(self, locks: Iterable[Lock]) -> None:
        """Note the locks among these that are risk events."""
        for lock in locks:
            for name, event in EVENT_TYPES.items():
                if event.of_lock is not None:
                    self._observe(name, event.of_lock(lock))

    def ranged(self, pair: str, times_usual: float, moment: datetime) -> None:
        """Note that a pair's range was a multiple of its usual range at a market time."""
        jump = RangeJump(pair, times_usual, moment)
        for name, event in EVENT_TYPES.items():
            if event.of_jump is not None:
                self._observe(name, event.of_jump(jump))

    def damp(self, multiplier: float, moment: datetime, pair: str) -> tuple[float, Ordered[Damped]]:
        """Return a damped multiplier and by what; see `ActiveEvents.damp`."""
        if not self._damping.severity:
            return multiplier, ()
        return self._active.damp(multiplier, moment, pair)

    def leverage_factor(self, moment: datetime, pair: str) -> float:
        """Return the factor on an entry's leverage; 1.0 where leverage is not to be damped."""
        return self._active.factor(moment, pair) if self._damping.leverage else 1.0

    def open_types(self, moment: datetime, pair: str) -> set[str]:
        """Return the types of the events that are open for entries of a pair."""
        return self._active.open_types(moment, pair)

    def submit_again(self, trades: Iterable[ClosedTrade]) -> None:
        """Hand over all kept events once more; the journal skips those it has.

        Parameters
        ----------
        trades
            Trades whose own events are handed over, too.
        """
        exits = [event for trade in trades for event in exit_events(trade, self._respond)]
        for event in (*exits, *self._observed.values(), *self._watch.events):
            self._keep(event)

    def _examine(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        events = exit_events(trade, self._respond)
        before = () if earlier is None else exit_events(earlier, self._respond)
        ids = {event.id for event in events}
        for event in before:
            if event.id not in ids:
                self._withdraw(event, _GONE)
        for event in events:
            if event not in before:
                self._note(event, is_news=not before)
        self._watch_trade(trade, earlier)

    def _watch_trade(self, trade: ClosedTrade, earlier: ClosedTrade | None = None) -> None:
        # A bot's database may hold trades of a strategy it ran before.
        if trade.origin.strategy == self._origin.strategy:
            self._watch.add(trade, earlier)

    def _observe(self, event_type: str, observed: Observed | None) -> None:
        if observed is None or observed_id(event_type, observed, self._origin) in self._observed:
            return
        event = observed_event(event_type, observed, self._origin, self._now(), self._respond)
        self._remember_observed(event)
        self._note(event)

    def _remember_observed(self, event: RiskEvent) -> None:
        self._observed[event.id] = event
        if self._window is not None and len(self._observed) >= 2 * _N_OBSERVED:
            for event_id in list(islice(self._observed, _N_OBSERVED)):
                del self._observed[event_id]

    def _note(self, event: RiskEvent, *, is_news: bool = True) -> None:
        self._activate(event)
        self._keep(event)
        if self._tell is not None and is_news:
            self._tell(event)

    def _withdraw(self, event: RiskEvent, reason: str) -> None:
        self._active.remove(event.id)
        self._keep(retraction(event, reason, self._now()))

    def _activate(self, event: RiskEvent) -> None:
        if event.origin.strategy == self._origin.strategy:
            self._active.add(event)
