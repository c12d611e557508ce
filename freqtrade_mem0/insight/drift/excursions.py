"""The excursions of cumulative sums in shuffled histories, and the thresholds they give."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.drift.charts import begins, cusum, signs
from freqtrade_mem0.insight.drift.history import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.drift.charts import Chart, Estimates
    from freqtrade_mem0.insight.drift.history import Path

    Floats = NDArray[np.float64]

PER_YEAR = 1.0
"""False alarms of each trigger in a year, at which thresholds are set."""

YEARS = 2
YEAR_DAYS = 365

_MOST_YEARS_WITH = 1.0 - math.exp(-PER_YEAR)
"""Share of first years with an alarm, as if alarms came by pure chance; at most this."""


class Excursions:
    """The excursions of all charts in shuffled histories.

    Their estimates come from the days that each path names, and the values from `made`. A chart
    of a worse strategy is measured against the estimates of the strategy as it was.
    """

    def __init__(self, made: Sequence[Chart], estimates: Sequence[Estimates]) -> None:
        self._made = made
        self._estimates = estimates
        self._n_paths = 0
        self._heights: list[list[Floats]] = [[] for _ in made]
        """The maxima of all excursions."""
        self._rises: list[list[tuple[Floats, Floats]]] = [[] for _ in made]
        """Where a sum reached a new maximum: when, and how high."""

    def add(self, path: Path) -> None:
        """Add a path."""
        self._n_paths += 1
        for number, chart in enumerate(self._made):
            mean, spread = self._estimates[number].at(path.days)
            steps = (chart.values[path.trades] - mean) / (spread or math.inf)
            sums = [cusum(sign * steps - chart.allowance) for sign in signs(chart)]
            for each in sums:
                if len(each):
                    self._heights[number].append(np.maximum.reduceat(each, begins(each)))
            highest = np.maximum.accumulate(np.maximum.reduce(sums))
            rising = np.flatnonzero(np.diff(highest, prepend=0.0) > 0.0)
            days = path.close_ms[rising] / DAY_MS
            self._rises[number].append((days, highest[rising]))

    def thresholds(self) -> list[float]:
        """Return the lowest thresholds that raise no more alarms than wanted."""
        n_wanted = int(PER_YEAR * YEARS * self._n_paths)
        found = []
        for heights, rises in zip(self._heights, self._rises, strict=True):
            falling = np.sort(np.concatenate([np.zeros(1), *heights]))[::-1]
            by_rate = falling[min(n_wanted, len(falling) - 1)]
            first_years = [_highest_until(each, YEAR_DAYS) for each in rises]
            by_share = np.quantile(first_years, 1.0 - _MOST_YEARS_WITH)
            found.append(float(max(by_rate, by_share)))
        return found

    def rates(self, thresholds: Sequence[float]) -> list[float]:
        """Return the alarms in a year."""
        years = YEARS * self._n_paths
        return [
            sum(int((each > threshold).sum()) for each in heights) / years
            for heights, threshold in zip(self._heights, thresholds, strict=True)
        ]

    def delays(self, thresholds: Sequence[float]) -> list[tuple[float, float | None]]:
        """Return the share of first years with an alarm, and the median days to the first one."""
        found: list[tuple[float, float | None]] = []
        for rises, threshold in zip(self._rises, thresholds, strict=True):
            days = np.array([_first_above(each, threshold) for each in rises])
            median = float(np.median(days))
            found.append(
                (float((days <= YEAR_DAYS).mean()), median if math.isfinite(median) else None)
            )
        return found


def _highest_until(rises: tuple[Floats, Floats], day: float) -> float:
    days, heights = rises
    n = int(np.searchsorted(days, day))
    return float(heights[n - 1]) if n else 0.0


def _first_above(rises: tuple[Floats, Floats], threshold: float) -> float:
    days, heights = rises
    n = int(np.searchsorted(heights, threshold, side="right"))
    return float(days[n]) if n < len(days) else math.inf
