"""Calibration: whether trades turned out as memory expected.

References
----------
Mincer, J. and Zarnowitz, V. (1969). The evaluation of economic forecasts. In Mincer, J. (ed.),
Economic Forecasts and Expectations, 3-46 (regressing outcomes on forecasts: slope 1 is calibrated).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.worth.bootstrap import Estimate, estimate
from freqtrade_mem0.worth.daily import by_day

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_BINS = 5
"""The trades are split into quintiles of the forecast."""

MIN_TRADES = 30
"""With fewer trades there is no calibration."""

_SAME = 1e-15


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """One quintile: trades with similar forecasts, their mean forecast and mean profit ratio.

    The standard error is that of the outcome, for independent trades.
    """

    n_trades: int
    forecast: float
    outcome: float
    standard_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """Regression of outcomes on forecasts, and the quintiles, the lowest forecasts first.

    If the forecast is a profit ratio, a slope of 1 is calibrated and 0 is a useless forecast.
    """

    n_trades: int
    slope: Estimate
    intercept: float
    bins: tuple[Bin, ...]


def calibration(
    forecast: NDArray[np.float64],
    outcome: NDArray[np.float64],
    days: NDArray[np.int64],
    *,
    n_days: int,
    seed: int,
) -> Calibration | None:
    """Regress outcomes on forecasts; None for fewer than `MIN_TRADES` trades or equal forecasts.

    Parameters
    ----------
    forecast, outcome
        Shape (n_trades,): expected profit ratio less the strategy's mean (or a number that should
        rise with it), and profit ratio. The mean is left out because stakes follow differences
        between situations: a forecast with it would mostly test how the mean drifts.
    days
        Shape (n_trades,): number of the day on which each trade was opened. Trades of one day are
        resampled together, because their outcomes depend on each other.
    n_days
        Days of the run.
    seed
        Of the interval.

    Notes
    -----
    What this does not show: whether stakes followed the forecasts, or whether a slope above 0 is
    enough to pay the fees.
    """
    n = len(forecast)
    if n < MIN_TRADES or np.ptp(forecast) <= _SAME:
        return None
    # Standardised, so that all columns below are of similar size.
    centre, scale = float(forecast.mean()), float(forecast.std())
    scaled = (forecast - centre) / scale
    parts = (np.ones(n), scaled, outcome, scaled * scaled, scaled * outcome)
    columns = np.column_stack([by_day(part, days, n_days) for part in parts])
    slope = estimate(columns, lambda means: _slope(means) / scale, seed=seed)
    value = slope.value if slope.value is not None else math.nan
    return Calibration(
        n_trades=n,
        slope=slope,
        intercept=float(outcome.mean()) - value * centre,
        bins=_bins(forecast, outcome),
    )


def _slope(means: Any) -> Any:
    """Return the least-squares slope from the daily means of 1, x, y, xx and xy."""
    n, x, y, xx, xy = (means[..., column] for column in range(5))
    return (n * xy - x * y) / (n * xx - x * x)


def _bins(forecast: NDArray[np.float64], outcome: NDArray[np.float64]) -> tuple[Bin, ...]:
    order = np.argsort(forecast, kind="stable")
    return tuple(
        Bin(
            n_trades=len(part),
            forecast=float(forecast[part].mean()),
            outcome=float(outcome[part].mean()),
            standard_error=float(outcome[part].std(ddof=1) / math.sqrt(len(part))),
        )
        for part in np.array_split(order, N_BINS)
    )
