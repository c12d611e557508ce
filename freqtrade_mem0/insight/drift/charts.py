"""What the triggers add up: values of trades, their mean and spread, and cumulative sums."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.drift.history import History

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

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


def worse(made: Sequence[Chart], history: History) -> list[Chart]:
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


def signs(chart: Chart) -> tuple[int, ...]:
    """Return the directions in which values may leave: a volatility may rise and fall."""
    return (1, -1) if chart.name == "volatility" else (1,)


class Estimates:
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


def cusum(steps: Floats) -> Floats:
    """Return the sums of steps that never fall below zero; unknown steps are left out."""
    total = np.cumsum(np.where(np.isfinite(steps), steps, 0.0))
    sums: Floats = total - np.minimum(np.minimum.accumulate(total), 0.0)
    return sums


def begins(sums: Floats) -> Ints:
    """Return where excursions begin: at the first value, and after each zero."""
    after_zero = np.concatenate([[True], sums[:-1] == 0.0])
    return np.flatnonzero(after_zero)
