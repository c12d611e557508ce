"""The shift test: whether a random sizing of the same shape would have done as well.

The multipliers keep their values and their order, with all series of large and small ones. Only
their assignment to trades changes: the whole sequence is shifted in a circle. If memory knows
something about the trades, the true assignment is better than most shifted ones.

References
----------
Phipson, B. and Smyth, G. K. (2010). Permutation p-values should never be zero. Statistical
Applications in Genetics and Molecular Biology 9 (1), article 39 (the rule (1 + b) / (1 + B)).
Politis, D. N., Romano, J. P. and Wolf, M. (1999). Subsampling, ch. 3 (circular blocks).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.worth.daily import by_day, sharpe

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SHIFTS = 2_000
"""With more trades than this, shifts are drawn at random without repetition."""

MIN_TRADES = 20
"""With fewer trades there are too few different shifts for a test."""

_MIDDLE = (0.025, 0.975)

_SAME = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTest:
    """The true assignment of multipliers to trades, compared with shifted ones.

    `p_as_good` and `p_as_bad` are the shares of assignments that are as good or better, as bad or
    worse, in (0, 1]; `observed` is the annual Sharpe ratio, `typical` the median of shifted ones.
    `is_complete` tells whether all possible shifts were tried. `low` and `high` hold what 95 % of
    the shifted sizings change the annual Sharpe ratio by: what moves of this size do without any
    knowledge.
    """

    p_as_good: float
    p_as_bad: float
    observed: float
    typical: float
    low: float
    high: float
    n_shifts: int
    is_complete: bool


def shift_test(
    base: NDArray[np.float64],
    multipliers: NDArray[np.float64],
    days: NDArray[np.int64],
    *,
    n_days: int,
    seed: int,
    max_shifts: int = MAX_SHIFTS,
) -> ShiftTest | None:
    """Compare the Sharpe ratio of the sized trades with that of shifted sizings.

    Parameters
    ----------
    base, multipliers, days
        Shape (n_trades,), in the order of entry: profit at multiplier 1 over the starting balance,
        multiplier (> 0), and number of the day on which the trade closed.
    n_days
        Days of the run.
    seed
        Of the draw of shifts, where there are more than `max_shifts`.
    max_shifts
        Largest number of shifts to try.

    Returns
    -------
    ShiftTest or None
        None for fewer than `MIN_TRADES` trades, for equal multipliers, and where returns do not
        vary.

    Notes
    -----
    The Sharpe ratio does not depend on the total stake, so smaller stakes alone do not look better.

    Memory learns from the trades it is tested on. A shifted multiplier can therefore follow
    outcomes that it could not have known, and look too good: `p_as_good` is then too large, which
    is safe, and `p_as_bad` too small (`benchmarks/bench_evaluate.py` measures it). The timing test
    has no such bias, so a finding needs both.

    What this does not show: whether the sized trades beat the unsized ones (the interval of the
    difference shows that), or whether other stakes would have led to other trades.
    """
    n = len(base)
    if n < MIN_TRADES or np.ptp(multipliers) <= _SAME:
        return None
    observed = sharpe(by_day(base * multipliers, days, n_days))
    if not math.isfinite(observed):
        return None
    shifts = np.arange(1, n)
    if len(shifts) > max_shifts:
        shifts = np.random.default_rng(seed).choice(shifts, size=max_shifts, replace=False)
    shifted = np.array(
        [sharpe(by_day(base * np.roll(multipliers, shift), days, n_days)) for shift in shifts]
    )
    unsized = sharpe(by_day(base, days, n_days))
    low, high = np.quantile(shifted - unsized, _MIDDLE).tolist()
    slack = 1e-9 * max(1.0, abs(observed))  # equal up to rounding counts as equal
    return ShiftTest(
        p_as_good=p_value(int(np.sum(shifted >= observed - slack)), len(shifts)),
        p_as_bad=p_value(int(np.sum(shifted <= observed + slack)), len(shifts)),
        observed=observed,
        typical=float(np.median(shifted)),
        low=low,
        high=high,
        n_shifts=len(shifts),
        is_complete=len(shifts) == n - 1,
    )


def p_value(n_as_extreme: int, n_tried: int) -> float:
    """Return (1 + b) / (1 + B): the observed result counts as one of the tries.

    >>> p_value(0, 99)
    0.01
    """
    return (1 + n_as_extreme) / (1 + n_tried)
