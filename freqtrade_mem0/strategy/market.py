"""The market of a pair at a moment, from the candles that Freqtrade holds of it.

A bot makes the situation ready when Freqtrade has analysed a new candle: the candles are in the
processor's caches then, and no order waits. A stake or an exit, which comes while an order is due,
only looks it up. A backtest has all candles from the start and computes its signals in blocks, or
what its stakes need of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.situation import WINDOW, Candles, Situation, calendar
from freqtrade_mem0.situation.signals import Movement, Signals, movement_and_jump

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.situation import Indicator


@dataclass(slots=True, eq=False)
class Seen:
    """The market at an entry.

    Parameters
    ----------
    n_closed
        How many candles were closed.
    times_usual_range
        The jump of their range, if any.
    movement
        Volatility and momentum, None for one that is unknown.
    build
        Returns the situation.
    """

    n_closed: int
    times_usual_range: float | None
    movement: Movement
    build: Callable[[], Situation]

    @property
    def situation(self) -> Situation:
        """The situation, built anew at each access."""
        return self.build()


@dataclass(frozen=True, slots=True, eq=False)
class _Ready:
    """What was computed of all candles of a dataframe, the last of which closed at a moment."""

    frame: Any
    closed_ms: int
    features: Situation
    movement: Movement
    times_usual_range: float | None


class Market:
    """Reads the situation of a strategy's pairs.

    Parameters
    ----------
    strategy
        Its data provider holds the candles.
    timeframe_s
        Length of a candle in seconds.
    indicators
        Indicators of TA-Lib that are features, too.
    """

    def __init__(self, strategy: Any, timeframe_s: int, indicators: Sequence[Indicator]) -> None:
        self._strategy = strategy
        self._timeframe_s = timeframe_s
        self._indicators = indicators
        self._candles: dict[str, tuple[Any, Candles]] = {}
        self._ready: dict[str, _Ready] = {}
        self._signals: dict[str, Signals] = {}

    def make_ready(self, pair: str) -> None:
        """Compute the situation after the newest candle of a pair, unless it is there."""
        frame = host.analysed_candles(self._strategy, pair)
        known = self._ready.get(pair)
        if known is not None and known.frame is frame:
            return
        self._ready.pop(pair, None)
        candles, n_closed = Candles(frame, self._indicators), len(frame)
        if n_closed:
            numbers = candles.numbers(n_closed)
            self._ready[pair] = _Ready(
                frame,
                candles.closed_ms(self._timeframe_s),
                candles.named(n_closed, numbers),
                *movement_and_jump(numbers),
            )

    def at(self, pair: str, moment_ms: int) -> Seen:
        """Return the situation at a moment in epoch milliseconds. For one thread at a time."""
        frame = host.analysed_candles(self._strategy, pair)
        ready = self._ready_at(pair, frame, moment_ms)
        if ready is not None:
            build = partial(_with_calendar, ready.features, moment_ms)
            return Seen(len(frame), ready.times_usual_range, ready.movement, build)
        return self._seen(self._columns(pair, frame), moment_ms)

    def signals(self, pair: str) -> Signals:
        """Return the market of a pair at its signals, until `forget_signals`: in a backtest."""
        known = self._signals.get(pair)
        if known is None:
            candles = self.candles_of(pair)
            known = self._signals[pair] = Signals(candles, self._timeframe_s)
        return known

    def forget_signals(self) -> None:
        """Forget what `signals` returned: another backtest begins, which has other candles."""
        self._signals.clear()

    def seen_by_any_thread(self, pair: str, moment_ms: int) -> Situation:
        """Return the situation at a moment; a forced exit comes from Freqtrade's REST server."""
        frame = host.analysed_candles(self._strategy, pair)
        ready = self._ready_at(pair, frame, moment_ms)
        if ready is not None:
            return ready.features | calendar(moment_ms)
        newest = Candles(frame.tail(2 * WINDOW), self._indicators)
        return self._seen(newest, moment_ms).situation

    def candles_of(self, pair: str) -> Candles:
        """Return the candles of a pair. For one thread at a time."""
        return self._columns(pair, host.analysed_candles(self._strategy, pair))

    def _seen(self, candles: Candles, moment_ms: int) -> Seen:
        n_closed = candles.n_closed(moment_ms, self._timeframe_s)
        numbers = candles.numbers(n_closed)
        movement, jump = movement_and_jump(numbers)
        build = partial(_situation, candles, n_closed, numbers, moment_ms)
        return Seen(n_closed, jump, movement, build)

    def _ready_at(self, pair: str, frame: Any, moment_ms: int) -> _Ready | None:
        """Return what was made ready, if it is of this dataframe and all its candles are closed."""
        ready = self._ready.get(pair)
        is_right = ready is not None and ready.frame is frame and moment_ms >= ready.closed_ms
        return ready if is_right else None

    def _columns(self, pair: str, frame: Any) -> Candles:
        """Return a dataframe as columns, converted once per dataframe."""
        known = self._candles.get(pair)
        if known is None or known[0] is not frame:
            known = self._candles[pair] = (frame, Candles(frame, self._indicators))
        return known[1]


def _situation(
    candles: Candles, n_closed: int, numbers: Sequence[float], moment_ms: int
) -> Situation:
    return candles.named(n_closed, numbers) | calendar(moment_ms)


def _with_calendar(features: Situation, moment_ms: int) -> Situation:
    return features | calendar(moment_ms)
