"""The candles of a pair in a backtest, and what stakes need of them at its entry signals.

A stake needs volatility and momentum alone, which are computed once for all signals. The whole
situation costs fifty times as much; records need it, after the loop.
"""

from __future__ import annotations

from bisect import bisect_left
from math import isfinite
from typing import TYPE_CHECKING

from freqtrade_mem0.situation.windows import FEATURES
from freqtrade_mem0.situation.words import calendar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.situation.candles import Candles
    from freqtrade_mem0.situation.values import Situation

Movement = tuple[float | None, float | None]
"""Volatility and momentum, None for one that is unknown."""

_VOLATILITY, _MOMENTUM = FEATURES.index("volatility"), FEATURES.index("momentum")


class Signals:
    """A pair in one backtest.

    Parameters
    ----------
    candles
        All of its candles.
    timeframe_s
        Length of a candle in seconds.
    """

    __slots__ = ("_candles", "_moments", "_movements", "_timeframe_s")

    def __init__(self, candles: Candles, timeframe_s: int) -> None:
        self._candles, self._timeframe_s = candles, timeframe_s
        self._moments, self._movements = candles.movements(timeframe_s)

    def movement(self, moment_ms: int) -> Movement:
        """Return volatility and momentum at a moment in epoch milliseconds."""
        moments = self._moments
        place = bisect_left(moments, moment_ms)
        if place == len(moments) or moments[place] != moment_ms:
            # No signal, a candle is missing, or an entry at a candle of Freqtrade's detail.
            return movement_and_jump(self._numbers(moment_ms)[1])[0]
        volatility, momentum = self._movements[2 * place : 2 * place + 2]
        # What is not finite, minus itself, is not a number.
        return (
            volatility if volatility - volatility == 0.0 else None,
            momentum if momentum - momentum == 0.0 else None,
        )

    def at(self, moment_ms: int) -> tuple[Situation, float | None]:
        """Return the situation at a moment in epoch milliseconds, and the jump of the range."""
        n_closed, numbers = self._numbers(moment_ms)
        situation = self._candles.named(n_closed, numbers) | calendar(moment_ms)
        return situation, movement_and_jump(numbers)[1]

    def _numbers(self, moment_ms: int) -> tuple[int, Sequence[float]]:
        n_closed = self._candles.n_closed(moment_ms, self._timeframe_s)
        return n_closed, self._candles.numbers(n_closed)


def movement_and_jump(numbers: Sequence[float]) -> tuple[Movement, float | None]:
    """Return these from what `Candles.numbers` returned, None for what is unknown."""
    if not numbers:
        return (None, None), None
    volatility, momentum, jump = numbers[_VOLATILITY], numbers[_MOMENTUM], numbers[-1]
    movement = (
        volatility if isfinite(volatility) else None,
        momentum if isfinite(momentum) else None,
    )
    return movement, jump if isfinite(jump) else None
