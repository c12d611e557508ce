"""Did trades turn out as memory expected? Forecast against outcome.

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

from freqtrade_mem0.compare.statistics.bootstrap import Estimate, estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_BINS = 5
MIN_TRADES = 30
_SAME = 1e-15
"""Trades below which nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Trades with similar forecasts.

    Parameters
    ----------
    n_trades
        How many.
    forecast
        Their mean forecast.
    outcome
        Their mean profit ratio.
    standard_error
        Of `outcome`, taking trades as independent.
    """

    n_trades: int
    forecast: float
    outcome: float
    standard_error: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """How outcomes follow forecasts.

    Parameters
    ----------
    n_trades
        Trades with a forecast.
    slope
        Change of the mean outcome per change of the forecast, with its interval. Where the
        forecast is a profit ratio, 1 is calibrated and 0 is without use.
    intercept
        Mean outcome at a forecast of 0.
    bins
        Trades by forecast, the lowest first, about equally many in each.
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
    """Return how outcomes follow forecasts.

    Parameters
    ----------
    forecast
        Shape (n_trades,): expected profit ratio, or anything that should go with it.
    outcome
        Shape (n_trades,): profit ratio.
    days
        Shape (n_trades,): number of the day each trade was opened on; trades of one day are drawn
        together, as they tend to share their luck.
    n_days
        Days in all.
    seed
        For the interval.

    Returns
    -------
    Calibration or None
        None with fewer than `MIN_TRADES` trades or where all forecasts are the same.

    Notes
    -----
    What this does not show: whether stakes followed the forecasts well, or whether a slope above 0
    is enough to pay for fees.
    """
    n = len(forecast)
    if n < MIN_TRADES or np.ptp(forecast) <= _SAME:
        return None
    # In units of its own spread; the numbers below are then of similar size.
    centre, scale = float(forecast.mean()), float(forecast.std())
    scaled = (forecast - centre) / scale
    parts = (np.ones(n), scaled, outcome, scaled * scaled, scaled * outcome)
    columns = np.column_stack(
        [np.bincount(days, weights=part, minlength=n_days).astype(np.float64) for part in parts]
    )
    found = estimate(columns, lambda means: _slope(means) / scale, seed=seed)
    slope = found.value if found.value is not None else math.nan
    return Calibration(
        n_trades=n,
        slope=found,
        intercept=float(outcome.mean()) - slope * centre,
        bins=_bins(forecast, outcome),
    )


def _slope(means: Any) -> Any:
    """Return the least-squares slope from sums of 1, x, y, xx, xy, all over the same number."""
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
