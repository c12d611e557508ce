"""Student's t: how many standard errors half of a 95 % interval is, for any degrees of freedom.

SciPy has it too, but importing SciPy takes longer than reading the journal of a small bot.
"""

from __future__ import annotations

import math

_COEFFICIENTS = (
    0.67292549,
    1.21043638,
    0.70623476,
    0.16151728,
    -0.26437867,
    -0.01937394,
    0.11317581,
    -0.03844751,
)
"""Of the polynomial in 1 / freedom that fits the logarithm of the quantile, lowest power first."""


def upper_share(t: float, freedom: float) -> float:
    """Return the probability that Student's t exceeds `t`, for `freedom` degrees of freedom, >= 1.

    The error is below 0.003 (a test compares it with SciPy).

    >>> round(upper_share(0.0, 5.0), 3), round(upper_share(2.0, 1e9), 3)
    (0.5, 0.023)
    """
    # Wallace, D. L. (1959). Bounds on normal approximations to Student's and the chi-square
    # distributions. Annals of Mathematical Statistics 30 (4), 1121-1130.
    size = math.sqrt(freedom * math.log1p(t * t / freedom)) * (8 * freedom + 1) / (8 * freedom + 3)
    return math.erfc(math.copysign(size, t) / math.sqrt(2.0)) / 2.0


_LEAST_KISH, _LEAST_SHARE = 2.0, 1e-9
_Z_SQUARED = 1.959964**2
_TAIL = (_Z_SQUARED - 1.0) / (_Z_SQUARED + 1.0)
"""How much a correlation of error and variance matters beside the variance's own uncertainty."""


def half_width(freedom: float) -> float:
    """Return the 97.5 % quantile of Student's t for `freedom` degrees of freedom, >= 1.

    The relative error is below 1e-5 (a test compares it with SciPy).

    >>> round(half_width(2.0), 3), round(half_width(100.0), 3), round(half_width(1e9), 3)
    (4.303, 1.984, 1.96)
    """
    share, log = 1.0 / freedom, 0.0
    for coefficient in reversed(_COEFFICIENTS):
        log = log * share + coefficient
    return math.exp(log)


def freedom_of(kish: float, cubes: float) -> float | None:
    """Return the degrees of freedom of Student's interval of a weighted mean.

    For weights that are equal it is their number less one. Otherwise the variance is known better
    (Satterthwaite), and large errors of the mean come with large variances: the correlation of the
    two, both quadratic forms of the ratios, is taken into account to first order at the 95 % point.

    Parameters
    ----------
    kish
        Kish's effective number, >= 1.
    cubes
        Sum of the cubed weights, which add up to 1.

    Returns
    -------
    float or None
        None for less than two effective trades.

    References
    ----------
    Satterthwaite, F. E. (1946). An approximate distribution of estimates of variance components.
    Biometrics Bulletin 2 (6), 110-114.

    >>> round(freedom_of(5.0, 1 / 25), 2), round(freedom_of(5.0, 1 / 19), 2)
    (4.0, 8.48)
    """
    if kish < _LEAST_KISH:
        return None
    squares = 1.0 / kish
    of_variance = (squares - 2.0 * cubes + squares * squares) / (1.0 - squares) ** 2
    together = max(cubes - squares * squares, 0.0) / (squares * (1.0 - squares))
    return 1.0 / max(of_variance - 2.0 * _TAIL * together, _LEAST_SHARE)
