"""Correction of p-values for comparing several strategies: some look good by chance alone.

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
    """Return p-values adjusted for the probability of at least one false finding.

    The k-th smallest of m values is multiplied by m - k + 1, is at least as large as the one before
    it, and at most 1. Valid under any dependence between the tests.

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
    """Return p-values adjusted for the expected share of false findings.

    Valid for independent and for positively dependent tests, such as strategies on one market.
    """
    from scipy.stats import false_discovery_control

    if len(p_values) == 0:
        return np.empty(0)
    adjusted: NDArray[np.float64] = false_discovery_control(p_values, method="bh")
    return adjusted
