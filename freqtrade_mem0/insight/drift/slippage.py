"""What fills cost against the rates of their orders: the mean, with an interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.insight.student import half_width

if TYPE_CHECKING:
    from collections.abc import Sequence


class Mean(NamedTuple):
    """A mean and its 95 % interval by Student's t; infinite with fewer than two values."""

    n: int
    mean: float
    low: float
    high: float
    total: float


def mean_of(values: Sequence[float]) -> Mean:
    """Return the mean of independent values, such as the slippage of orders.

    >>> mean = mean_of([0.001, 0.003])
    >>> round(mean.mean, 4), round(mean.low, 4), round(mean.high, 4)
    (0.002, -0.0107, 0.0147)
    """
    n, total = len(values), math.fsum(values)
    if n <= 1:
        return Mean(n, total, -math.inf, math.inf, total)
    mean = total / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))
    half = half_width(n - 1) * spread / math.sqrt(n)
    return Mean(n, mean, mean - half, mean + half, total)
