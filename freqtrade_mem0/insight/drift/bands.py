r"""Bands: what as many days of a backtest look like, beside the days that a bot has traded.

The days of the backtest are drawn anew in blocks, twice (`History.shuffled`): once for what the
backtest could have shown, once for what a bot could have met. The band of a figure is the middle
95 % of its values on such days, widened as Student's t asks for with as many blocks as the backtest
has.

A band holds for one look. Who looks each day, at five figures, sees one outside sooner or later.
So the alarm looks at fixed ages only, and a figure has to be further out than in 99 % of the
shuffled histories by a factor at which `FALSE_PER_YEAR` of the bots that are as their backtest are
alarmed in their first year, all ages and figures together.

References
----------
Politis, D. N. and Romano, J. P. (1994). The stationary bootstrap. Journal of the American
Statistical Association 89 (428), 1303-1313.
Beran, R. (1990). Calibrating prediction regions. Journal of the American Statistical Association 85
(411), 715-723.
Westfall, P. H. and Young, S. S. (1993). Resampling-based multiple testing. Wiley. (The maximum over
all looks.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.insight.drift.history import DAY_MS, Z

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.drift.history import History, Path

    Floats = NDArray[np.float64]

FIGURES = ("win_rate", "profit_ratio", "trades_a_day", "holding_hours", "drawdown_ratio")
"""Share of trades with a gain, mean profit ratio, trades a day, mean holding time, and the largest
fall of the sum of profit ratios below its highest so far."""

AGES = tuple(round(7 * 2 ** (step / 2)) for step in range(14))
"""Ages in days at which the alarm looks, from one week to 634 days."""

FALSE_PER_YEAR = 0.05
LEVEL = 0.95

MIN_EXPECTED = 10
"""The alarm looks only where half of the shuffled histories have at least this many trades."""

_MOST_BLOCKS, _LONGEST_DAYS = 10, 60
"""Good and bad times last longer than the correlation of single days shows: blocks are at least a
tenth of the backtest, or 60 days."""

_TAIL = 0.99
"""Share of shuffled histories by whose distance the tails of figures are compared."""

_ROUNDING = 1e-9
_N_PATHS = 600
_SEED = 3
_YEAR_DAYS = 365


class Band(NamedTuple):
    """The band of a figure, and its middle."""

    low: float
    middle: float
    high: float

    def distance(self, value: float) -> float:
        """Return how far a value is from the middle; 1.0 is the edge of the band."""
        far = abs(value - self.middle)
        if far <= _ROUNDING * max(abs(self.middle), 1.0):
            return 0.0
        side = self.high - self.middle if value > self.middle else self.middle - self.low
        side = side or self.high - self.low  # of a figure that ends at its middle
        return far / side if side != 0.0 else math.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Bands:
    """The bands of a backtest.

    Parameters
    ----------
    by_age
        Of all figures, by age in days.
    limits
        By the ages at which the alarm looks, how far out of its band each figure has to be for an
        alarm; see `Band.distance`.
    """

    by_age: Mapping[int, Mapping[str, Band]]
    limits: Mapping[int, Mapping[str, float]]


class Left(NamedTuple):
    """The first look at which figures were too far out of their bands."""

    age_days: int
    figures: Mapping[str, tuple[float, Band]]
    """The value and its band, by name."""


def bands(
    history: History, ages: Sequence[int] = (), pause: Callable[[], object] = lambda: None
) -> Bands:
    """Return the bands of a backtest at some ages in days, and at `AGES`.

    Equal histories give equal bands. `pause` is called every few milliseconds.
    """
    all_ages = sorted({*AGES, *ages})
    block_days = history.block_days(most=max(_MOST_BLOCKS, history.n_days / _LONGEST_DAYS))
    drawn = []
    for path in history.shuffled(max(all_ages), block_days, _N_PATHS, _SEED):
        pause()
        drawn.append(_figures(history, path, all_ages))
    widening = history.widening(block_days)
    by_age: dict[int, dict[str, Band]] = {}
    tails: dict[int, dict[str, float]] = {}
    furthest = np.zeros(len(drawn))
    for age, at_age in zip(all_ages, np.array(drawn).transpose(1, 2, 0), strict=True):
        by_age[age] = {
            name: _band(values, widening) for name, values in zip(FIGURES, at_age, strict=True)
        }
        if age not in AGES or not by_age[age]["trades_a_day"].middle * age >= MIN_EXPECTED:
            continue
        tails[age] = {}
        for name, values in zip(FIGURES, at_age, strict=True):
            distances = np.array([by_age[age][name].distance(value) for value in values.tolist()])
            tail = max(float(np.nanquantile(distances, _TAIL)), 1.0 / widening)
            tails[age][name] = tail
            if age <= _YEAR_DAYS:
                furthest = np.fmax(furthest, distances / tail)
    times = float(np.quantile(furthest, 1.0 - FALSE_PER_YEAR, method="higher"))

    def limit(tail: float) -> float:
        # Resamples of few blocks are too near the middle, the more so the further out they are.
        out = max(times * tail * widening, 1.0)
        return out * history.widening(block_days, out * Z) / widening

    limits = {
        age: {name: limit(tail) for name, tail in by_name.items()} for age, by_name in tails.items()
    }
    return Bands(by_age=by_age, limits=limits)


def figures(seen: History, age_days: int) -> dict[str, float]:
    """Return the figures of a run's first days; NaN where no trade has closed."""
    return dict(zip(FIGURES, _figures(seen, seen.whole, [age_days])[0], strict=True))


def left(found: Bands, seen: History, age_days: int) -> Left | None:
    """Return the first of the looks up to an age at which a run was too far out of its bands."""
    for look, limits in found.limits.items():
        if look > age_days:
            return None
        outside = {}
        for name, value in figures(seen, look).items():
            band = found.by_age[look][name]
            if band.distance(value) > limits[name]:  # False for NaN
                outside[name] = (value, band)
        if outside:
            return Left(look, outside)
    return None


def _figures(history: History, path: Path, ages: Sequence[int]) -> list[list[float]]:
    """Return the figures of a path at each age; NaN where no trade has closed by then."""
    ratios = history.ratios[path.trades]
    held_ms = (history.close_ms - history.open_ms)[path.trades].astype(np.float64)
    equity = np.cumsum(ratios)
    falls = np.maximum(np.maximum.accumulate(equity), 0.0) - equity if len(equity) else equity
    deepest = np.maximum.accumulate(falls)
    wins, held_ms = np.cumsum(ratios > 0.0), np.cumsum(held_ms)
    found = []
    for age in ages:
        n = int(np.searchsorted(path.close_ms, age * DAY_MS))
        if not n:
            found.append([math.nan, math.nan, 0.0, math.nan, 0.0])
            continue
        last = n - 1
        found.append(
            [
                float(wins[last]) / n,
                float(equity[last]) / n,
                n / age,
                float(held_ms[last]) / n / 3_600_000,
                float(deepest[last]),
            ]
        )
    return found


def _band(values: Floats, widening: float) -> Band:
    """Return the band of a figure on shuffled days; NaN where most of these have no trade."""
    known = values[np.isfinite(values)]
    if len(known) <= len(values) / 2:
        return Band(math.nan, math.nan, math.nan)
    edges = [(1.0 - LEVEL) / 2.0, 0.5, (1.0 + LEVEL) / 2.0]
    low, middle, high = np.quantile(known, edges).tolist()
    return Band(middle - (middle - low) * widening, middle, middle + (high - middle) * widening)
