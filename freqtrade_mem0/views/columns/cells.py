"""Two features of trades against each other: how often, and how good, with what uncertainty."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.student import half_width
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from freqtrade_mem0.views.columns.table import Table

MIN_TRADES = 20
"""A cell with fewer trades is shown in grey."""

MOST_VALUES = 24
"""Values of a feature that have a row or column; the rarest others share one."""

N_PARTS = 5
"""Parts of equal size into which a number is cut."""

OTHERS = "others"
MISSING = "not known"
_TEXTS = ("pair", "side", "enter_tag", "exit_reason")
_HOUR_MS, _DAY_MS = 3_600_000, 86_400_000
_DAYS = ("Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed")
_HELD_S = (900, 3_600, 4 * 3_600, 12 * 3_600, 86_400, 3 * 86_400, 7 * 86_400)
_HELD = ("< 15 min", "< 1 h", "< 4 h", "< 12 h", "< 1 d", "< 3 d", "< 7 d", "7 d or more")


class Axis(NamedTuple):
    """A feature as codes: `codes` has shape (n_trades,) and counts into `labels`."""

    name: str
    labels: list[str]
    codes: NDArray[np.intp]


class Cell(NamedTuple):
    """Trades with one value of each feature; `low` and `high` are a 95 % interval of the mean."""

    x: int
    y: int
    n: int
    mean: float
    low: float | None
    high: float | None
    win_rate: float


def features(table: Table) -> list[str]:
    """Return the names of features that trades can be laid out by."""
    own = [*table.words, *table.numbers]
    return [*_TEXTS, "held", "hour", "weekday", *(each for each in own if each != "weekday")]


def axis(table: Table, rows: NDArray[np.intp], name: str, words: Mapping[int, str]) -> Axis:
    """Return a feature of some trades; `RecordError` where there is none of that name."""
    if name == "held":
        codes = np.searchsorted(_HELD_S, table["open_s"][rows], side="right")
        return _used(name, list(_HELD), codes)
    opened = table["known_ms"][rows] - table["open_s"][rows].astype(np.int64) * 1_000
    if name == "hour":
        return _used(name, [f"{hour:02d}h" for hour in range(24)], opened // _HOUR_MS % 24)
    if name == "weekday":
        days = opened // _DAY_MS % len(_DAYS)
        return _used(name, list(_DAYS[4:] + _DAYS[:4]), (days + 3) % len(_DAYS))
    if name in _TEXTS or name in table.words:
        return _of_words(name, table[name if name in _TEXTS else f"at_{name}"][rows], words)
    if name in table.numbers:
        return _of_numbers(name, table[f"at_{name}"][rows])
    known = features(table)
    hint = mission.did_you_mean(name, tuple(known))
    raise RecordError(f"No trade has a feature {name!r}.{hint} There are {', '.join(known)}.")


def cells(x: Axis, y: Axis, ratios: NDArray[np.float64]) -> list[Cell]:
    """Return the cells that have trades."""
    width, size = len(x.labels), len(x.labels) * len(y.labels)
    place = y.codes * width + x.codes
    n = np.bincount(place, minlength=size)
    total = np.bincount(place, weights=ratios, minlength=size)
    squares = np.bincount(place, weights=ratios**2, minlength=size)
    won = np.bincount(place, weights=ratios > 0.0, minlength=size)
    found = []
    for at in np.flatnonzero(n).tolist():
        count, mean = int(n[at]), float(total[at] / n[at])
        low = high = None
        if count > 1:
            spread = max(0.0, float(squares[at]) - count * mean**2) / (count - 1)
            half = half_width(count - 1.0) * math.sqrt(spread / count)
            low, high = mean - half, mean + half
        found.append(Cell(at % width, at // width, count, mean, low, high, float(won[at]) / count))
    return found


def _of_words(name: str, numbers: NDArray[np.uint32], words: Mapping[int, str]) -> Axis:
    values, codes, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    labels = [words.get(value, MISSING) or "(none)" for value in values.tolist()]
    kept = sorted(range(len(labels)), key=lambda at: -int(counts[at]))[:MOST_VALUES]
    kept.sort(key=lambda at: labels[at])
    places = np.full(len(labels), len(kept))
    places[kept] = np.arange(len(kept))
    shown = [labels[at] for at in kept] + [OTHERS] * (len(labels) > len(kept))
    return Axis(name, shown, places[codes])


def _of_numbers(name: str, values: NDArray[np.float32]) -> Axis:
    known = values[np.isfinite(values)]
    if not len(known):
        return Axis(name, [MISSING], np.zeros(len(values), dtype=np.intp))
    edges = np.unique(np.quantile(known, np.linspace(0.0, 1.0, N_PARTS + 1)[1:-1]))
    codes = np.searchsorted(edges, values, side="right")
    texts = [f"{edge:.4g}" for edge in edges.tolist()]
    labels = [f"< {texts[0]}"]
    labels += [f"{low} to {high}" for low, high in pairwise(texts)]
    labels += [f"≥ {texts[-1]}", MISSING]
    codes[~np.isfinite(values)] = len(labels) - 1
    return _used(name, labels, codes)


def _used(name: str, labels: list[str], codes: NDArray[np.int64]) -> Axis:
    """Return an axis without the values that no trade has."""
    values, new = np.unique(codes, return_inverse=True)
    return Axis(name, [labels[each] for each in values.tolist()], new)
