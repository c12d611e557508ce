"""The names of buckets in a situation: regimes of the market, quarters of the day, weekdays."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.situation.values import Situation

_VOLATILITIES = ("calm", "normal", "volatile")
_DIRECTIONS = ("downtrend", "sideways", "uptrend")
_TREND_THRESHOLD = 0.5

_SESSIONS = ("00-06h", "06-12h", "12-18h", "18-24h")
_WEEKDAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
"""From Thursday on: Unix time starts on Thursday, 1970-01-01."""
_SESSION_MS = 6 * 3_600_000

# Made once: all entries share the strings, whose hashes are cached.
_REGIMES: dict[tuple[str, str], Situation] = {
    (volatility, direction): {
        "volatility_regime": volatility,
        "trend_regime": direction,
        "regime": f"{volatility} {direction}",
    }
    for volatility in _VOLATILITIES
    for direction in _DIRECTIONS
}
_WEEK: tuple[Situation, ...] = tuple(
    {"session": session, "weekday": weekday} for weekday in _WEEKDAYS for session in _SESSIONS
)


def regimes(features: Mapping[str, float | str]) -> Situation:
    """Return the names of volatility, direction and both; empty where one of them is missing.

    The result is shared and must not be changed.

    >>> regimes({"volatility_rank": 0.9, "trend": 0.1})["regime"]
    'volatile sideways'
    """
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
    return _REGIMES[volatility, direction]


def calendar(moment_ms: int) -> Situation:
    """Return the quarter of the UTC day and the day of the week of epoch milliseconds.

    The result is shared and must not be changed.

    >>> calendar(0)
    {'session': '00-06h', 'weekday': 'Thu'}
    """
    return _WEEK[moment_ms // _SESSION_MS % len(_WEEK)]
