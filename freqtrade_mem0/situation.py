"""The situation a trade is entered in: a few market features of candles closed before the entry.

Every feature is a function of the last `WINDOW` closed candles alone (fewer, down to `MIN_CANDLES`,
where the data begin later). So a backtest, a dry-run bot and a live bot that see the same candles
compute the same numbers, and nothing after the entry can change them.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import talib
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame

WINDOW = 240
"""Closed candles the features look at."""

MIN_CANDLES = 120
"""Closed candles below which nothing is said (an empty situation)."""

_RANGE = 14
_FAST, _MEDIUM, _SLOW = 12, 48, 96
_TREND_THRESHOLD = 0.5

Situation = dict[str, float | str]


def closed_before(candles: DataFrame, moment: datetime, timeframe_s: int) -> DataFrame:
    """Return the last `WINDOW` candles that were closed at `moment`.

    Parameters
    ----------
    candles
        Freqtrade's analysed dataframe, shape (n, columns), `date` being the open time, ascending.
    moment
        Aware UTC market time of the entry.
    timeframe_s
        Length of a candle, in seconds.
    """
    if candles.empty:
        return candles
    n_closed = len(candles)
    dates = candles["date"]
    # Nearly always the last row is closed already, so look from the end.
    while n_closed > 0:
        opened: datetime = dates.iloc[n_closed - 1]
        if (moment - opened).total_seconds() >= timeframe_s:
            break
        n_closed -= 1
    return candles.iloc[max(0, n_closed - WINDOW) : n_closed]


def market_features(closed: DataFrame) -> Situation:
    """Return the features of closed candles; empty with fewer than `MIN_CANDLES` of them.

    Parameters
    ----------
    closed
        What `closed_before` returned: shape (n, columns) with open, high, low, close, volume.

    Returns
    -------
    dict
        `volatility` (mean true range of 14 candles over price, ratio), `volatility_rank` (its rank
        in the window, [0, 1]), `trend` (slope of a regression line over 48 candles against the
        range a random walk would cover, signed), `momentum` (the same for the return of 12),
        `rsi` ([0, 100]), `range_position` (place in the range of 48 candles, [0, 1]),
        `volume_ratio` (mean volume of 12 over that of 96), and the bucket names
        `volatility_regime`, `trend_regime`, `regime`. A feature that can not be computed (no
        volume, a price that never moves) is left out.

    References
    ----------
    Wilder, J. W. (1978). New Concepts in Technical Trading Systems (true range, RSI).
    """
    if len(closed) < MIN_CANDLES:
        return {}
    high, low, close, volume = (
        closed[name].to_numpy(dtype=np.float64) for name in ("high", "low", "close", "volume")
    )
    last = close[-1]
    # Each mean by itself: a running sum would leave rounding errors where prices stand still.
    ranges = sliding_window_view(talib.TRANGE(high, low, close)[1:], _RANGE).mean(axis=1)
    volatility = ranges[-1] / last
    relative = ranges / close[-len(ranges) :]
    lowest, highest = low[-_MEDIUM:].min(), high[-_MEDIUM:].max()
    with np.errstate(divide="ignore", invalid="ignore"):
        numbers = {
            "volatility": volatility,
            "volatility_rank": np.mean(relative <= volatility),
            "trend": talib.LINEARREG_SLOPE(close[-_MEDIUM:], _MEDIUM)[-1]
            * math.sqrt(_MEDIUM)
            / ranges[-1],
            "momentum": (last - close[-1 - _FAST]) / (ranges[-1] * math.sqrt(_FAST)),
            "rsi": talib.RSI(close, _RANGE)[-1] if np.ptp(close) > 0.0 else math.nan,
            "range_position": (last - lowest) / (highest - lowest),
            "volume_ratio": volume[-_FAST:].mean() / volume[-_SLOW:].mean(),
        }
    features: Situation = {
        name: _six_digits(value) for name, value in numbers.items() if math.isfinite(value)
    }
    return features | _regimes(features)


def calendar(moment: datetime) -> Situation:
    """Return the quarter of the UTC day and the day of the week a moment lies in.

    >>> calendar(datetime(2024, 1, 1, 13, 30, tzinfo=UTC))
    {'session': '12-18h', 'weekday': 'Mon'}
    """
    utc = moment.astimezone(UTC)
    start = utc.hour // 6 * 6
    return {"session": f"{start:02d}-{start + 6:02d}h", "weekday": utc.strftime("%a")}


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
