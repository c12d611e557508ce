"""Pure statistics: what closed trades say about the next one of the same kind.

The model is a normal hierarchy. All trades of a strategy share a mean profit ratio, which is pulled
towards zero (no edge); each level below it (pair, side, enter tag, regime, ...) may deviate from
the strategy's mean, and each deviation is pulled towards zero. How hard depends on how many trades
there are: with `n` of them and `k` pseudo-trades, a share `n / (n + k)` is believed.

References
----------
Efron, B. and Morris, C. (1975). Data analysis using Stein's estimator and its generalizations.
Journal of the American Statistical Association 70 (350), 311-319 (shrinkage towards a parent).
Buehlmann, H. and Gisler, A. (2005). A Course in Credibility Theory and its Applications, ch. 4
(the credibility factor n / (n + k)).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class Moments:
    """Time-decayed moments of the profit ratios of a group of trades.

    Parameters
    ----------
    n
        Effective number of trades: the sum of their weights, a trade of this moment weighing 1.
    mean
        Weighted mean profit ratio; 0.0 where `n` is 0.
    variance
        Weighted variance of the profit ratios around `mean`, >= 0.
    """

    n: float
    mean: float
    variance: float


_MIN_FOR_INTERVAL = 2.0

NOTHING = Moments(0.0, 0.0, 0.0)
"""The moments of no trades at all."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one level adds to the estimate.

    Parameters
    ----------
    name, value
        The level and its key, for example "pair" and "ETH/USDT".
    moments
        Of the trades in it.
    shift
        What it adds to the expected profit ratio.
    """

    name: str
    value: str
    moments: Moments
    shift: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """The expected profit ratio of a trade, and how sure that is.

    Parameters
    ----------
    mean
        Expected profit ratio; the sum of the parts' shifts.
    standard_error
        Of `mean`, in profit ratio; 0.0 where nothing can be said.
    parts
        The strategy first, then its levels.
    """

    mean: float
    standard_error: float
    parts: tuple[Part, ...]

    @property
    def z(self) -> float:
        """`mean` in units of its standard error; 0.0 where nothing can be said."""
        return self.mean / self.standard_error if self.standard_error > 0.0 else 0.0


def estimate(strategy: Part, levels: Sequence[Part], pseudo_trades: float) -> Estimate:
    r"""Estimate the profit ratio to expect from shrunk means.

    With :math:`B(n) = n / (n + k)`, strategy mean :math:`\bar x`, level means :math:`\bar x_d` and
    the strategy's mean square :math:`s^2`:

    .. math::

        \hat\mu &= B(n)\,\bar x + \sum_d B(n_d)\,(\bar x_d - \bar x) \\
        \hat V &= s^2 \Big( \frac{1}{n + k}
                  + \sum_d B(n_d)^2 \big(\frac{1}{n_d} - \frac{1}{n}\big) \Big)

    The mean square (variance plus squared mean) is the variance under the hypothesis of no edge. It
    keeps two nearly equal trades from looking certain: :math:`|z| \le n / \sqrt{n + k}` for the
    strategy's part. The first term of the variance is the posterior variance of the strategy's
    mean, the others are the sampling variances of the shrunk deviations. A level that holds all
    trades adds nothing.

    Parameters
    ----------
    strategy
        The strategy's own moments (its `shift` is ignored).
    levels
        The levels' moments (their `shift` is ignored); each a subset of the strategy's trades.
    pseudo_trades
        `k` > 0.

    Returns
    -------
    Estimate
        Mean 0 and standard error 0 without trades, or where no trade made or lost anything.

    Notes
    -----
    What this does not show: whether the past repeats itself. Deviations are taken as independent
    of each other and trades as independent of each other; overlapping trades in one market move
    are not, so the standard error is too small for strategies that open many trades at once.
    """
    whole = strategy.moments
    mean_square = whole.variance + whole.mean**2
    if whole.n <= 0.0 or mean_square <= 0.0:
        silent = [Part(p.name, p.value, p.moments, 0.0) for p in (strategy, *levels)]
        return Estimate(0.0, 0.0, tuple(silent))
    parts = [
        Part(strategy.name, strategy.value, whole, _belief(whole.n, pseudo_trades) * whole.mean)
    ]
    relative_variance = 1.0 / (whole.n + pseudo_trades)
    for level in levels:
        n = level.moments.n
        belief = _belief(n, pseudo_trades)
        shift = belief * (level.moments.mean - whole.mean) if n > 0.0 else 0.0
        parts.append(Part(level.name, level.value, level.moments, shift))
        # B(n)^2 (1/n - 1/N), written so that a level decayed to next to nothing can not overflow.
        relative_variance += belief / (n + pseudo_trades) * max(0.0, 1.0 - n / whole.n)
    return Estimate(
        mean=math.fsum(part.shift for part in parts),
        standard_error=math.sqrt(mean_square * relative_variance),
        parts=tuple(parts),
    )


def interval(moments: Moments, level: float = 1.959963984540054) -> tuple[float, float]:
    """Return the interval of a mean: mean -/+ `level` standard errors, (-inf, inf) below 2 trades.

    Parameters
    ----------
    moments
        Of a group of trades.
    level
        Quantile of the normal distribution; the default gives 95 %.
    """
    if moments.n < _MIN_FOR_INTERVAL:
        return -math.inf, math.inf
    half = level * math.sqrt(moments.variance / (moments.n - 1.0))
    return moments.mean - half, moments.mean + half


def _belief(n: float, pseudo_trades: float) -> float:
    return n / (n + pseudo_trades)
