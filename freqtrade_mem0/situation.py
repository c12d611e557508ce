"""The situation a trade is entered in: a few market features of candles closed before the entry.

Every feature is a function of the last `WINDOW` closed candles alone (fewer, down to `MIN_CANDLES`,
where the data begin later). So a backtest, a dry-run bot and a live bot that see the same candles
compute the same numbers, and nothing after the entry can change them.
"""

from __future__ import annotations

import math
from datetime import UTC
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import talib
from numpy.lib.stride_tricks import sliding_window_view

from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from numpy.typing import NDArray
    from pandas import DataFrame

WINDOW = 240
"""Closed candles the features look at."""

MIN_CANDLES = 120
"""Closed candles below which nothing is said (an empty situation)."""

_RANGE = 14
_JUMP = 2.0
"""Times the usual true range that is a change of regime."""

_FAST, _MEDIUM, _SLOW = 12, 48, 96
_TREND_THRESHOLD = 0.5
_SESSIONS = ("00-06h", "06-12h", "12-18h", "18-24h")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

Situation = dict[str, float | str]


class Candles:
    """The candles of a pair as columns, asked for the features at any of them.

    What is the same for neighbouring candles is computed once for all of them, so that a backtest
    pays per pair and not per entry. Each number still depends on its own window alone, bit for bit.

    Parameters
    ----------
    frame
        Freqtrade's dataframe, shape (n, columns), with date (open time, ascending), high, low,
        close, volume. It is not changed.
    """

    def __init__(self, frame: DataFrame) -> None:
        self._open_ms = (
            frame["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
            if "date" in frame
            else np.empty(0, dtype=np.int64)
        )
        high, low, close, volume = (
            np.ascontiguousarray(frame[name].to_numpy(dtype=np.float64))
            for name in ("high", "low", "close", "volume")
        )
        self._close, self._volume = close, volume
        if len(close) < MIN_CANDLES:
            return
        # Each mean by itself: a running sum would leave rounding errors where prices stand still.
        # Element k belongs to candle k + _RANGE.
        self._ranges = sliding_window_view(talib.TRANGE(high, low, close)[1:], _RANGE).mean(axis=1)
        self._relative = self._ranges / close[_RANGE:]
        # TA-Lib works through each window of these three by itself, too.
        self._lowest, self._highest = talib.MIN(low, _MEDIUM), talib.MAX(high, _MEDIUM)
        self._slope = talib.LINEARREG_SLOPE(close, _MEDIUM)
        # Element k is the move from candle k to candle k + 1.
        moves = np.diff(close)
        self._gains_and_losses = np.vstack([np.maximum(moves, 0.0), np.maximum(-moves, 0.0)])

    def n_closed(self, moment: datetime, timeframe_s: int) -> int:
        """Return how many candles were closed at an aware UTC moment."""
        last_open_ms = to_ms(moment) - timeframe_s * 1_000
        return int(self._open_ms.searchsorted(last_open_ms, side="right"))

    def features(self, n_closed: int) -> Situation:
        """Return the features of the last `WINDOW` of the first `n_closed` candles.

        Empty with fewer than `MIN_CANDLES` of them.

        Returns
        -------
        dict
            `volatility` (mean true range of 14 candles over price, ratio), `volatility_rank` (its
            rank in the window, [0, 1]), `trend` (slope of a regression line over 48 candles against
            the range a random walk would cover, signed), `momentum` (the same for the return of
            12), `rsi` ([0, 100]), `range_position` (place in the range of 48 candles, [0, 1]),
            `volume_ratio` (mean volume of 12 over that of 96), and the bucket names
            `volatility_regime`, `trend_regime`, `regime`. A feature that can not be computed (no
            volume, a price that never moves) is left out.

        References
        ----------
        Wilder, J. W. (1978). New Concepts in Technical Trading Systems (true range, RSI).
        """
        if n_closed < MIN_CANDLES:
            return {}
        first, current = max(0, n_closed - WINDOW), n_closed - 1
        last = float(self._close[current])
        spread = float(self._ranges[current - _RANGE])
        relative = self._relative[first : n_closed - _RANGE]
        lowest, highest = float(self._lowest[current]), float(self._highest[current])
        volume = self._volume
        recent = float(np.add.reduce(volume[n_closed - _FAST : n_closed])) / _FAST
        usual = float(np.add.reduce(volume[n_closed - _SLOW : n_closed])) / _SLOW
        numbers = {
            "volatility": _ratio(spread, last),
            "volatility_rank": np.count_nonzero(relative <= relative[-1]) / len(relative),
            "trend": _ratio(float(self._slope[current]) * math.sqrt(_MEDIUM), spread),
            "momentum": _ratio(
                last - float(self._close[current - _FAST]), spread * math.sqrt(_FAST)
            ),
            "rsi": self._rsi(first, current),
            "range_position": _ratio(last - lowest, highest - lowest),
            "volume_ratio": _ratio(recent, usual),
        }
        found: Situation = {
            name: _six_digits(value) for name, value in numbers.items() if math.isfinite(value)
        }
        return found | _regimes(found)

    def _rsi(self, first: int, last: int) -> float:
        """Return Wilder's RSI of the candles from `first` to `last`; NaN where no price moved."""
        weights = _wilder_weights(last - first)
        gain, loss = (self._gains_and_losses[:, first:last] @ weights).tolist()
        return _ratio(100.0 * gain, gain + loss)

    def times_usual_range(self, n_closed: int) -> float | None:
        """Return how far the last candles range against their window, where that is a jump.

        Parameters
        ----------
        n_closed
            As for `features`.

        Returns
        -------
        float or None
            The relative true range over its median in the window, > 2; None where it is less, or
            where there are too few candles.
        """
        if n_closed < MIN_CANDLES:
            return None
        relative = self._relative[max(0, n_closed - WINDOW) : n_closed - _RANGE]
        last = float(relative[-1])
        # More than half of the window below half of the last: counting is cheaper than sorting.
        if 2 * np.count_nonzero(relative < last / _JUMP) <= len(relative):
            return None
        median = float(np.median(relative))
        return last / median if median > 0.0 else None


@lru_cache
def _wilder_weights(n_moves: int) -> NDArray[np.float64]:
    """Return what each of a window's moves weighs in Wilder's mean of them, oldest first.

    It begins with the plain mean of the first 14 and then is `(13 * mean + move) / 14`.
    """
    kept = (_RANGE - 1) / _RANGE
    age = np.arange(n_moves - 1, -1, -1, dtype=np.float64)
    weights: NDArray[np.float64] = kept ** np.minimum(age, float(n_moves - _RANGE)) / _RANGE
    return weights


def _ratio(above: float, below: float) -> float:
    return above / below if below != 0.0 else math.nan


def calendar(moment: datetime) -> Situation:
    """Return the quarter of the UTC day and the day of the week a moment lies in.

    >>> from datetime import datetime
    >>> calendar(datetime(2024, 1, 1, 13, 30, tzinfo=UTC))
    {'session': '12-18h', 'weekday': 'Mon'}
    """
    utc = moment.astimezone(UTC)
    return {"session": _SESSIONS[utc.hour // 6], "weekday": _WEEKDAYS[utc.weekday()]}


def clean(extra: Mapping[str, object]) -> Situation:
    """Return an author's own features in the form records keep: finite floats and short strings.

    >>> clean({"btc_trend": np.float64(0.123456789), "news": True, "none": None})
    {'btc_trend': 0.123457, 'news': 'True'}
    """
    features: Situation = {}
    for name, value in extra.items():
        if isinstance(value, bool | np.bool_ | str):
            features[name] = str(value)
        elif isinstance(value, int | float | np.number) and math.isfinite(value):
            features[name] = _six_digits(float(value))
    return features


def _regimes(features: Situation) -> Situation:
    rank, trend = features.get("volatility_rank"), features.get("trend")
    if not isinstance(rank, float) or not isinstance(trend, float):
        return {}
    volatility = "calm" if rank < 1 / 3 else "volatile" if rank > 2 / 3 else "normal"
    direction = (
        "downtrend"
        if trend < -_TREND_THRESHOLD
        else "uptrend"
        if trend > _TREND_THRESHOLD
        else "sideways"
    )
    return {
        "volatility_regime": volatility,
        "trend_regime": direction,
        "regime": f"{volatility} {direction}",
    }


def _six_digits(value: float) -> float:
    """Round away what only the order of floating point additions decides."""
    return float(f"{value:.6g}")
