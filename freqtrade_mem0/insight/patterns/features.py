"""The features by which trades are grouped into cells, and each trade's value of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.insight.patterns.scores import ranks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.patterns.trade import PatternTrade

    Ints = NDArray[np.int64]

EXIT = "exit_reason"
_TIMING = frozenset({"hour", "session", "weekday"})
_TRADE = frozenset({"pair", "side", "enter_tag"})

MISSING = -1
"""In place of a value's number, where a trade has none."""

MAX_FEATURES = 32
"""Features of situations beyond these, by name, are not looked at."""

_OPEN_SHARE = 0.1
"""Of the trades with an exit reason, at least so many have gained, and so many have lost, where the
reason does not say which."""

_BUCKET = "_bucket"
_REPEATED = frozenset({"regime", "volatility_rank", "trend", "session", "weekday"})
"""Features of a situation that others, or the time of the entry, say as well."""

_WEEKDAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
"""From Thursday on: Unix time starts on Thursday, 1970-01-01."""
_LEVELS = ("low", "middle", "high")
_HOUR_MS = 3_600_000


class Feature(NamedTuple):
    """A feature and the number of each trade's value in `values`, shape (n_trades,)."""

    name: str
    values: tuple[str, ...]
    codes: Ints


def features(
    trades: Sequence[PatternTrade], pause: Callable[[], object] = lambda: None
) -> list[Feature]:
    """Return the features of trades that are sorted by when they became known.

    Those with one value only are left out. A number in a situation is "low", "middle" or "high": in
    which third it ranks among those of the trades known before the entry.
    """
    opened = np.array([trade.open_ms for trade in trades], dtype=np.int64)
    hours = opened // _HOUR_MS
    found = [
        _named("pair", [trade.pair for trade in trades]),
        _named("side", [trade.side for trade in trades]),
        _named("enter_tag", [trade.enter_tag for trade in trades]),
        _named(EXIT, _open_exits(trades)),
        _numbered("hour", tuple(f"{hour:02}h" for hour in range(24)), hours % 24),
        _numbered("session", ("00-06h", "06-12h", "12-18h", "18-24h"), hours // 6 % 4),
        _numbered("weekday", _WEEKDAYS, hours // 24 % 7),
    ]
    known = np.array([trade.known_ms for trade in trades], dtype=np.int64)
    own = {each.name for each in found}
    for name in _situation_names(trades):
        pause()
        if name.removesuffix(_BUCKET) in own:
            continue
        values = [trade.situation.get(name, "") for trade in trades]
        if any(isinstance(value, str) and value for value in values):
            found.append(_named(name.removesuffix(_BUCKET), [str(value) for value in values]))
        else:
            numbers = np.array([np.nan if value == "" else value for value in values], dtype=float)
            thirds = np.nan_to_num(ranks(numbers, known, opened)[0] * 3.0, nan=MISSING)
            found.append(_numbered(name, _LEVELS, thirds.astype(np.int64)))
    return [each for each in found if len(each.values) > 1]


def _open_exits(trades: Sequence[PatternTrade]) -> list[str]:
    """Return each trade's exit reason; "" where the reason says whether the trade gained.

    Stop losses lose, and a target is only reached with a gain: that is no pattern.
    """
    results: dict[str, list[float]] = {}
    for trade in trades:
        results.setdefault(trade.exit_reason, []).append(trade.ratio)
    is_open = {
        reason: min(sum(r > 0.0 for r in own), sum(r < 0.0 for r in own)) >= _OPEN_SHARE * len(own)
        for reason, own in results.items()
    }
    return [trade.exit_reason if is_open[trade.exit_reason] else "" for trade in trades]


def pattern_type(names: Collection[str]) -> str:
    """Return the type of a pattern with these features.

    >>> pattern_type(("pair", "side")), pattern_type(("pair", "rsi")), pattern_type(("rsi", "hour"))
    ('trade', 'market', 'timing')
    """
    if EXIT in names:
        return "exit"
    if not _TIMING.isdisjoint(names):
        return "timing"
    return "trade" if _TRADE.issuperset(names) else "market"


def _situation_names(trades: Sequence[PatternTrade]) -> list[str]:
    names = {name for trade in trades for name in trade.situation}
    names -= _REPEATED | {name.removesuffix(_BUCKET) for name in names if name.endswith(_BUCKET)}
    return sorted(names)[:MAX_FEATURES]


def _named(name: str, values: Sequence[str]) -> Feature:
    known = sorted(set(values) - {""})
    number = {value: place for place, value in enumerate(known)} | {"": MISSING}
    return Feature(name, tuple(known), np.array([number[value] for value in values], np.int64))


def _numbered(name: str, values: tuple[str, ...], codes: Ints) -> Feature:
    """Return a feature with the values that occur only."""
    used = np.unique(codes[codes >= 0])
    place = np.full(len(values) + 1, MISSING, dtype=np.int64)
    place[used] = np.arange(len(used))
    return Feature(name, tuple(values[number] for number in used), place[codes])
