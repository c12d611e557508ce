r"""Four triggers that say when a strategy's trades no longer are as its history: cumulative sums.

Each adds up, trade by trade in the order of the exits, by how much a value :math:`x` is worse than
the mean of the history, less an allowance :math:`k`, in standard deviations of the history, and
never falls below zero (Page 1954):

.. math:: S_t = \max(0, \; S_{t-1} + (x_t - \bar x) / s - k)

It raises an alarm when :math:`S_t` exceeds a threshold: once in an excursion, which lasts until
:math:`S` is zero again. The threshold is the one at which two years of shuffled history raise
about one alarm a year. Textbook thresholds hold for independent normal values and a known mean;
trades are neither, and come in clusters.

References
----------
Page, E. S. (1954). Continuous inspection schemes. Biometrika 41, 100-115.
Politis, D. N. and Romano, J. P. (1994). The stationary bootstrap. Journal of the American
Statistical Association 89 (428), 1303-1313.
Jones, L. A., Champ, C. W. and Rigdon, S. E. (2004). The run length distribution of the CUSUM with
estimated parameters. Journal of Quality Technology 36 (1), 95-108.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.insight.drift.history import DAY_MS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.drift.history import History, Path

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PER_YEAR = 1.0
"""False alarms of each trigger in a year, at which thresholds are set."""

YEARS = 2
_YEAR_DAYS = 365
_N_PATHS = 150
_CALIBRATION, _MEASURE = 1, 2
"""Seeds: the rate is measured on other shuffled histories than the threshold comes from."""

_MOST_YEARS_WITH = 1.0 - math.exp(-PER_YEAR)
"""Share of first years with an alarm, as if alarms came by pure chance; at most this."""

_ROUNDING = 1e-12
"""A variance below this share of the mean square is the rounding error of equal values."""

_MOST_VOLATILE = 1.5
"""Factor on the volatility at which the delay of that trigger is stated."""


class Chart(NamedTuple):
    """What a trigger adds up.

    Parameters
    ----------
    name
        Of the trigger.
    values
        By trade of the history; larger is worse. NaN is left out.
    allowance
        :math:`k`.
    is_centred
        Whether the history's mean is subtracted.
    """

    name: str
    values: Floats
    allowance: float
    is_centred: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """A calibrated trigger.

    Parameters
    ----------
    name
        "poor_results", "win_rate", "drawdown" or "volatility".
    lacks
        Why there is none; "" where there is one, and only then the others mean something.
    mean, spread
        Of the values of the history; `mean` is 0.0 for the drawdown, which has no target.
    allowance, threshold
        In spreads.
    per_year
        False alarms in a year of shuffled histories that the calibration has not seen.
    found_in_year
        Share of shuffled years in which it raises an alarm though the edge is halved from the
        first day on (volatility: though it is half as high again).
    delay_days
        Median time to an alarm then; None where most of two years pass without one.
    """

    name: str
    lacks: str = ""
    mean: float = 0.0
    spread: float = 1.0
    allowance: float = 0.0
    threshold: float = math.inf
    per_year: float = 0.0
    found_in_year: float = 0.0
    delay_days: float | None = None


class Alarm(NamedTuple):
    """An excursion of a trigger above its threshold.

    Parameters
    ----------
    name
        Of the trigger.
    began
        Number of the first trade of the excursion, in the order of the exits.
    at
        Number of the trade that exceeded the threshold.
    ended
        Number of the trade that ended it; None while it goes on.
    sum
        :math:`S` at `at`, in spreads.
    mean
        Of the values from `began` to `at`.
    is_higher
        False where the volatility is lower than in the history.
    """

    name: str
    began: int
    at: int
    ended: int | None
    sum: float
    mean: float
    is_higher: bool = True


def calibrated(history: History, pause: Callable[[], object] = lambda: None) -> list[Trigger]:
    """Return the triggers of a history, with thresholds; equal histories give equal ones.

    `pause` is called every few milliseconds.
    """
    made = charts(history, history)
    if history.lacks:
        return [Trigger(name=chart.name, lacks=history.lacks) for chart in made]
    *of_results, volatility = made
    found = _calibrated(of_results, history, history.block_days(), pause)
    # Volatility keeps its level for weeks, whatever the results do.
    daily = _Estimates(volatility, history).daily()
    block_days = history.block_days(daily, times=2.0)
    return found + _calibrated([volatility], history, block_days, pause)


def _calibrated(
    made: Sequence[Chart], history: History, block_days: float, pause: Callable[[], object]
) -> list[Trigger]:
    days = YEARS * _YEAR_DAYS
    estimates = [_Estimates(chart, history) for chart in made]
    calibration = _Sums(made, estimates)
    for path in history.shuffled(days, block_days, _N_PATHS, _CALIBRATION):
        pause()
        calibration.add(path)
    widening = history.widening(block_days)
    thresholds = [threshold * widening for threshold in calibration.thresholds()]
    measure, worse = _Sums(made, estimates), _Sums(_worse(made, history), estimates)
    for path in history.shuffled(days, block_days, _N_PATHS, _MEASURE):
        pause()
        measure.add(path)
        worse.add(path)
    found = []
    for chart, estimated, threshold, per_year, (within, delay) in zip(
        made,
        estimates,
        thresholds,
        measure.rates(thresholds),
        worse.delays(thresholds),
        strict=True,
    ):
        mean, spread = estimated.at()
        lacks = ""
        if not np.isfinite(chart.values).any():
            lacks = "the history does not say how volatile the market was at its entries"
        elif not spread > 0.0:
            lacks = "all trades of the history are alike"
        trigger = Trigger(
            name=chart.name,
            mean=mean,
            spread=spread,
            allowance=chart.allowance,
            threshold=threshold,
            per_year=per_year,
            found_in_year=within,
            delay_days=delay,
        )
        found.append(Trigger(name=chart.name, lacks=lacks) if lacks else trigger)
    return found


def alarms(triggers: Sequence[Trigger], history: History, seen: History) -> list[Alarm]:
    """Return the alarms that trades raise, in the order of time.

    Parameters
    ----------
    triggers
        Calibrated on `history`.
    history
        What was before.
    seen
        The trades since.
    """
    if not seen.n:
        return []
    path, found = seen.whole(), []
    for trigger, chart in zip(triggers, charts(seen, history), strict=True):
        if trigger.lacks:
            continue
        values = chart.values[path.trades]
        for sign in _signs(chart):
            sums = _cusum(sign * (values - trigger.mean) / trigger.spread - trigger.allowance)
            begins = _begins(sums)
            highest = np.maximum.reduceat(sums, begins)
            for number in np.flatnonzero(highest > trigger.threshold).tolist():
                begin, end = int(begins[number]), int([*begins, len(sums)][number + 1])
                at = begin + int(np.argmax(sums[begin:end] > trigger.threshold))
                found.append(
                    Alarm(
                        name=trigger.name,
                        began=begin,
                        at=at,
                        ended=None if end == len(sums) else end,
                        sum=float(sums[at]),
                        mean=float(np.nanmean(values[begin : at + 1])),
                        is_higher=sign > 0,
                    )
                )
    return sorted(found, key=lambda alarm: (alarm.at, alarm.name))


def charts(of: History, history: History) -> list[Chart]:
    """Return the values of the trades of a run; volatilities are compared with a history's."""
    return [
        Chart("poor_results", -of.ratios, 0.1),
        Chart("win_rate", (of.ratios < 0.0).astype(np.float64), 0.1),
        Chart("drawdown", -of.ratios, 0.0, is_centred=False),
        Chart("volatility", _deviations(of, history), 0.5),
    ]


def _deviations(of: History, history: History) -> Floats:
    """Return how far each log volatility is from the mean of its pair in a history."""
    sums: dict[str, list[float]] = {}
    for trade, value in zip(history.ordered, history.log_volatilities.tolist(), strict=True):
        if not math.isnan(value):
            sums.setdefault(trade.pair, []).append(value)
    usual: Mapping[str, float] = {
        pair: math.fsum(values) / len(values) for pair, values in sums.items()
    }
    return of.log_volatilities - np.array(
        [usual.get(trade.pair, math.nan) for trade in of.ordered], dtype=np.float64
    )


def _worse(made: Sequence[Chart], history: History) -> list[Chart]:
    """Return the charts of the same trades with half of the edge, and more volatility."""
    lost = float(history.ratios.mean()) / 2.0 if history.n else 0.0
    ratios = history.ratios - max(lost, 0.0)
    changed = {
        "poor_results": -ratios,
        "win_rate": (ratios < 0.0).astype(np.float64),
        "drawdown": -ratios,
    }
    return [
        chart._replace(values=changed.get(chart.name, chart.values + math.log(_MOST_VOLATILE)))
        for chart in made
    ]


def _signs(chart: Chart) -> tuple[int, ...]:
    """Return the directions in which values may leave: a volatility may rise and fall."""
    return (1, -1) if chart.name == "volatility" else (1,)


class _Estimates:
    """Mean and spread of a chart's known values on any days of its history."""

    def __init__(self, chart: Chart, history: History) -> None:
        self._is_centred = chart.is_centred
        known = np.isfinite(chart.values)
        values = np.where(known, chart.values, 0.0)
        self._by_day = np.stack(
            [
                np.bincount(history.day, weights=weights, minlength=history.n_days)
                for weights in (known.astype(np.float64), values, np.square(values))
            ]
        )

    def at(self, days: Ints | None = None) -> tuple[float, float]:
        """Return both for the values of some days, or of all."""
        chosen = self._by_day if days is None else self._by_day[:, days]
        n, total, squares = chosen.sum(axis=1).tolist()
        if not n:
            return 0.0, 0.0
        mean = total / n
        variance = squares / n - mean * mean
        spread = math.sqrt(variance) if variance > _ROUNDING * squares / n else 0.0
        return (mean if self._is_centred else 0.0), spread

    def daily(self) -> Floats:
        """Return the mean of each day; a day without values has that of the day before."""
        n, total, _ = self._by_day
        last = np.maximum.accumulate(np.where(n > 0.0, np.arange(len(n)), 0))
        means: Floats = (total / np.maximum(n, 1.0))[last]
        return means


def _cusum(steps: Floats) -> Floats:
    total = np.cumsum(np.where(np.isfinite(steps), steps, 0.0))
    sums: Floats = total - np.minimum(np.minimum.accumulate(total), 0.0)
    return sums


def _begins(sums: Floats) -> Ints:
    """Return where excursions begin: at the first value, and after each zero."""
    after_zero = np.concatenate([[True], sums[:-1] == 0.0])
    return np.flatnonzero(after_zero)


class _Sums:
    """The excursions of all charts in shuffled histories.

    Their estimates come from the days that each path names, and the values from `made`. A chart
    of a worse strategy is measured against the estimates of the strategy as it was.
    """

    def __init__(self, made: Sequence[Chart], estimates: Sequence[_Estimates]) -> None:
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
            sums = [_cusum(sign * steps - chart.allowance) for sign in _signs(chart)]
            for each in sums:
                if len(each):
                    self._heights[number].append(np.maximum.reduceat(each, _begins(each)))
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
            first_years = [_highest_until(each, _YEAR_DAYS) for each in rises]
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
                (float((days <= _YEAR_DAYS).mean()), median if math.isfinite(median) else None)
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
