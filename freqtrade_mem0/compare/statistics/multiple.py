"""Correction for looking at several strategies: some look good by chance alone.

References
----------
Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of
Statistics 6 (2), 65-70.
Benjamini, Y. and Hochberg, Y. (1995). Controlling the false discovery rate. Journal of the Royal
Statistical Society B 57 (1), 289-300.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def holm(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return p-values adjusted so that the chance of any false claim at all is bounded.

    The k-th smallest of m is multiplied by m - k + 1, never below the one before it, at most 1.
    Valid under any dependence between the tests.

    Parameters
    ----------
    p_values
        Shape (m,), each in [0, 1].

    Returns
    -------
    ndarray
        Shape (m,), in the order given.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(given, kind="stable")
    factors = len(given) - np.arange(len(given))
    adjusted = np.empty_like(given)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(given[order] * factors))
    return adjusted


def benjamini_hochberg(p_values: Sequence[float]) -> NDArray[np.float64]:
    """Return p-values adjusted so that the expected share of false claims is bounded.

    Valid for independent tests and those that go together (strategies on one market do).

    Parameters
    ----------
    p_values
        Shape (m,), each in [0, 1].
    """
    from scipy.stats import false_discovery_control

    if len(p_values) == 0:
        return np.empty(0)
    adjusted: NDArray[np.float64] = false_discovery_control(p_values, method="bh")
    return adjusted
