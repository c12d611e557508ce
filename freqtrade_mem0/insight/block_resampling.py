"""Stationary block resampling: draws blocks of consecutive days instead of single days.

Days depend on each other: losing days come in series, and calm and volatile weeks alternate.
Drawing single days would break up these series, and the intervals would be too narrow.

References
----------
Politis, D. N. and Romano, J. P. (1994). The stationary bootstrap. Journal of the American
Statistical Association 89 (428), 1303-1313.
Politis, D. N. and White, H. (2004). Automatic block-length selection for the dependent bootstrap.
Econometric Reviews 23 (1), 53-70; with the correction by Patton, A., Politis, D. N. and White, H.
(2009), Econometric Reviews 28 (4), 372-375.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_DAYS = 10
"""With fewer days no dependence can be measured, and blocks are one day long."""


def optimal_block_length(series: NDArray[np.float64]) -> float:
    """Return the optimal mean block length of the stationary bootstrap for a series, in days.

    It is in [1, ceil(min(3 sqrt(n), n / 3))], and 1.0 for a constant series and for fewer than
    `MIN_DAYS` days.

    What this does not show: dependence over times longer than the data.
    """
    n = len(series)
    centred = series - series.mean()
    if n < MIN_DAYS or not centred.any():
        return 1.0
    window = max(5, int(math.log10(n)))
    n_lags = math.ceil(math.sqrt(n)) + window
    covariances = np.zeros(n_lags + 1)
    correlations = np.zeros(n_lags + 1)
    for lag in range(min(n_lags, n - 2) + 1):
        head, tail = centred[: n - lag], centred[lag:]
        covariances[lag] = head @ tail / n
        scale = math.sqrt((head[:-1] @ head[:-1]) * (tail[1:] @ tail[1:]))
        correlations[lag] = abs(head @ tail) / scale if scale > 0.0 else 0.0
    threshold = 2.0 * math.sqrt(math.log10(n) / n)
    first_noise = _first_lag_of_noise(correlations[1:], window, threshold)
    bandwidth = n_lags if first_noise is None else min(2 * first_noise, n_lags)
    lags = np.arange(1, bandwidth + 1)
    weights = 2.0 * np.clip(2.0 * (1.0 - lags / bandwidth), 0.0, 1.0)  # a flat-top window
    curvature = float(np.sum(weights * lags * covariances[lags]))
    long_run = float(covariances[0] + np.sum(weights * covariances[lags]))
    if long_run == 0.0:
        return 1.0
    length = (curvature / long_run) ** 2  # 2 G^2 / D with D = 2 g(0)^2
    longest = math.ceil(min(3.0 * math.sqrt(n), n / 3.0))
    return float(np.clip((length * n) ** (1.0 / 3.0), 1.0, longest))


def _first_lag_of_noise(
    correlations: NDArray[np.float64], window: int, threshold: float
) -> int | None:
    """Return the first lag from which `window` correlations in a row are small; lags from 1."""
    small = correlations < threshold
    for first in range(len(small) - window):
        if small[first : first + window].all():
            return first + 1
    return None


def resample(
    n_days: int,
    block_days: float,
    n_resamples: int,
    rng: np.random.Generator,
    length: int | None = None,
) -> NDArray[np.int64]:
    """Return the day numbers of each resample, shape (n_resamples, length), in [0, n_days).

    Block lengths are geometric with mean `block_days` >= 1. A block continues at the first day
    after the last one. A resample has `length` days, by default `n_days`.
    """
    shape = (n_resamples, n_days if length is None else length)
    begins = rng.random(shape) < 1.0 / block_days
    begins[:, 0] = True
    starts = rng.integers(n_days, size=shape)
    position = np.arange(shape[1])
    began_at = np.maximum.accumulate(np.where(begins, position, 0), axis=1)
    days: NDArray[np.int64] = np.take_along_axis(starts, began_at, axis=1) + (position - began_at)
    return days % n_days


def variance_of_mean(series: NDArray[np.float64], block_days: float) -> NDArray[np.float64]:
    r"""Return the variance of the mean under block resampling, in closed form.

    With :math:`p` as one over the mean block length and :math:`\hat\gamma_c` as the circular
    autocovariances (Politis and Romano 1994, lemma 1):

    .. math::

        \frac{1}{n} \Big( \hat\gamma_c(0)
            + 2 \sum_{i=1}^{n-1} \big(1 - \tfrac{i}{n}\big) (1 - p)^i \hat\gamma_c(i) \Big)

    The series has shape (..., n_days), the result (...,).
    """
    n = series.shape[-1]
    centred = series - series.mean(axis=-1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(centred, axis=-1)) ** 2
    covariances = np.fft.irfft(spectrum, n=n, axis=-1) / n
    lags = np.arange(n)
    weights = 2.0 * (1.0 - lags / n) * (1.0 - 1.0 / block_days) ** lags
    weights[0] = 1.0
    variances: NDArray[np.float64] = covariances @ weights / n
    return variances
