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

from freqtrade_mem0.insight.drift.charts import Estimates, begins, charts, cusum, signs, worse
from freqtrade_mem0.insight.drift.excursions import YEAR_DAYS, YEARS, Excursions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.insight.drift.charts import Chart
    from freqtrade_mem0.insight.drift.history import History

_N_PATHS = 150
_LEAST_BLOCKS, _LEAST_VOLATILE_DAYS = 8, 365
"""A history with fewer stretches of volatility, or of less than a year, does not tell a regime from
a usual change: with four months there were five false alarms a year."""

_CALIBRATION, _MEASURE = 1, 2
"""Seeds: the rate is measured on other shuffled histories than the threshold comes from."""


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
    most = math.sqrt(history.n_days)
    found = _calibrated(of_results, history, history.block_days(most=most), pause)
    # Volatility keeps its level for weeks, whatever the results do.
    daily = Estimates(volatility, history).daily()
    block_days = history.block_days(daily, times=2.0, most=most)
    needed = max(_LEAST_VOLATILE_DAYS, math.ceil(block_days * _LEAST_BLOCKS))
    if np.isfinite(volatility.values).any() and history.n_days < needed:
        lacks = f"volatility keeps its level for long; a history of {needed} days is needed"
        return [*found, Trigger(name=volatility.name, lacks=lacks)]
    return found + _calibrated([volatility], history, block_days, pause)


def _calibrated(
    made: Sequence[Chart], history: History, block_days: float, pause: Callable[[], object]
) -> list[Trigger]:
    days = YEARS * YEAR_DAYS
    estimates = [Estimates(chart, history) for chart in made]
    calibration = Excursions(made, estimates)
    for path in history.shuffled(days, block_days, _N_PATHS, _CALIBRATION):
        pause()
        calibration.add(path)
    widening = history.widening(block_days)
    thresholds = [threshold * widening for threshold in calibration.thresholds()]
    measure = Excursions(made, estimates)
    of_worse = Excursions(worse(made, history), estimates)
    for path in history.shuffled(days, block_days, _N_PATHS, _MEASURE):
        pause()
        measure.add(path)
        of_worse.add(path)
    found = []
    for chart, estimated, threshold, per_year, (within, delay) in zip(
        made,
        estimates,
        thresholds,
        measure.rates(thresholds),
        of_worse.delays(thresholds),
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
    path, found = seen.whole, []
    for trigger, chart in zip(triggers, charts(seen, history), strict=True):
        if trigger.lacks:
            continue
        values = chart.values[path.trades]
        for sign in signs(chart):
            sums = cusum(sign * (values - trigger.mean) / trigger.spread - trigger.allowance)
            starts = begins(sums)
            highest = np.maximum.reduceat(sums, starts)
            for number in np.flatnonzero(highest > trigger.threshold).tolist():
                begin, end = int(starts[number]), int([*starts, len(sums)][number + 1])
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
