r"""The deflated Sharpe ratio: whether a gain is more than the best of several shows by chance.

Who tries many settings and keeps the best one finds a gain in pure noise. With :math:`N` tries
whose Sharpe ratios have the variance :math:`V`, the best one of tries without any skill is expected
to reach

.. math::

    SR_0 = \sqrt{V} \left( (1 - \gamma) Z^{-1}(1 - 1/N) + \gamma Z^{-1}(1 - 1/(N e)) \right)

(:math:`\gamma` is Euler's constant, :math:`Z` the normal distribution). The deflated ratio is the
probability that the true Sharpe ratio of the returns is above :math:`SR_0`, given their number
:math:`T`, skewness :math:`\gamma_3` and kurtosis :math:`\gamma_4`:

.. math::

    DSR = Z\left( \frac{(SR - SR_0) \sqrt{T - 1}}
                       {\sqrt{1 - \gamma_3 SR + \frac{\gamma_4 - 1}{4} SR^2}} \right)

References
----------
Bailey, D. H. and Lopez de Prado, M. (2014). The deflated Sharpe ratio: correcting for selection
bias, backtest overfitting and non-normality. Journal of Portfolio Management 40 (5), 94-107.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.worth.daily import DAYS_PER_YEAR, sharpe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NORMAL = NormalDist()
_EULER = 0.5772156649015329
_SAME = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class Deflated:
    """A gain, judged by how many settings were tried; Sharpe ratios are per day.

    `sharpe` is that of the gain, `by_chance` what the best of `n_tried` settings that know nothing
    is expected to reach, `probability` that the true one is above that.
    """

    n_tried: int
    sharpe: float
    by_chance: float
    probability: float


def deflated(returns: NDArray[np.float64], others: Sequence[float]) -> Deflated | None:
    """Judge returns that are one of several tries.

    Parameters
    ----------
    returns
        Shape (n_days,).
    others
        Sharpe ratios per day of the other tries.

    Returns
    -------
    Deflated or None
        None where the returns do not vary.

    Notes
    -----
    What this does not show: tries that were not counted, such as those of another machine. Days
    that depend on each other make the probability too sure. Tries that resemble each other have a
    small variance, so many of them cost little, as it should be.
    """
    ratio = sharpe_per_day(returns)
    if ratio is None:
        return None
    tries = [ratio, *others]
    by_chance = expected_best(len(tries), float(np.var(tries, ddof=1)) if others else 0.0)
    centred = (returns - returns.mean()) / returns.std()
    return Deflated(
        n_tried=len(tries),
        sharpe=ratio,
        by_chance=by_chance,
        probability=probability_above(
            by_chance,
            ratio,
            n_days=len(returns),
            skewness=float(np.mean(centred**3)),
            kurtosis=float(np.mean(centred**4)),
        ),
    )


def sharpe_per_day(returns: NDArray[np.float64]) -> float | None:
    """Return mean over standard deviation of daily returns; None where they do not vary."""
    annual = sharpe(returns)
    return annual / math.sqrt(DAYS_PER_YEAR) if math.isfinite(annual) else None


def expected_best(n_tried: int, variance: float) -> float:
    """Return the Sharpe ratio that the best of several tries without skill is expected to reach.

    >>> round(expected_best(100, 0.5 / 250), 4)  # the example of the paper
    0.1132
    """
    if n_tried < 2:  # noqa: PLR2004 - a single try is no choice
        return 0.0
    quantile = _NORMAL.inv_cdf
    high = (1.0 - _EULER) * quantile(1.0 - 1.0 / n_tried)
    return math.sqrt(variance) * (high + _EULER * quantile(1.0 - 1.0 / (n_tried * math.e)))


def probability_above(
    threshold: float, ratio: float, *, n_days: int, skewness: float, kurtosis: float
) -> float:
    """Return the probability that the true Sharpe ratio per day is above a threshold.

    >>> found = probability_above(0.1132, 2.5 / 250**0.5, n_days=1250, skewness=-3, kurtosis=10)
    >>> round(found, 3)  # the example of the paper
    0.9
    """
    # Not negative: kurtosis >= 1 + skewness squared.
    spread = math.sqrt(max(_SAME, 1.0 - skewness * ratio + (kurtosis - 1.0) / 4.0 * ratio**2))
    return _NORMAL.cdf((ratio - threshold) * math.sqrt(n_days - 1) / spread)
