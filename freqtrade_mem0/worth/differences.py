"""The differences between two runs, as functions of daily means for `bootstrap.estimate`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.worth.daily import DAYS_PER_YEAR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from freqtrade_mem0.worth.daily import Daily

RETURN_WITHOUT, RETURN_WITH, SQUARE_WITHOUT, SQUARE_WITH, EXPOSED_WITHOUT, EXPOSED_WITH = range(6)
"""The columns, whose means the functions below take in shape (..., 6)."""


def daily_columns(before: Daily, after: Daily) -> NDArray[np.float64]:
    """Return the columns of two runs over the same days, shape (n_days, 6)."""
    return np.column_stack(
        [
            before.returns,
            after.returns,
            before.returns**2,
            after.returns**2,
            before.exposure,
            after.exposure,
        ]
    )


def mean_return_difference(means: Any) -> Any:
    """Return the difference of annual mean returns."""
    return DAYS_PER_YEAR * (means[..., RETURN_WITH] - means[..., RETURN_WITHOUT])


def equal_exposure_difference(means: Any) -> Any:
    """Return the same with the second run scaled to the exposure of the first."""
    scale = means[..., EXPOSED_WITHOUT] / means[..., EXPOSED_WITH]
    return DAYS_PER_YEAR * (scale * means[..., RETURN_WITH] - means[..., RETURN_WITHOUT])


def sharpe_difference(means: Any) -> Any:
    """Return the difference of annual Sharpe ratios."""
    return _sharpe(means, RETURN_WITH, SQUARE_WITH) - _sharpe(means, RETURN_WITHOUT, SQUARE_WITHOUT)


def _sharpe(means: Any, first: int, second: int) -> Any:
    variance = means[..., second] - means[..., first] ** 2
    return math.sqrt(DAYS_PER_YEAR) * means[..., first] / np.sqrt(variance)
