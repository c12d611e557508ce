"""Whether a random sizing of the same shape would have done as well.

The multipliers are kept as they are, in their order, with all their runs of large and small ones;
only which trade got which is changed, by shifting the whole sequence around in a circle. If memory
knows something about the trades, the true alignment beats most of the shifted ones.

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

from freqtrade_mem0.compare.statistics.returns import sharpe

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_SHIFTS = 2_000
"""Above so many trades shifts are drawn at random, without repetition."""

_SAME = 1e-12
MIN_TRADES = 20
"""Trades below which shifts are too few and too alike to tell anything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftTest:
    """How the true alignment of multipliers and trades compares with shifted ones.

    Parameters
    ----------
    p_as_good
        Share of sizings of the same shape that do as well or better, (0, 1].
    p_as_bad
        Share that does as badly or worse, (0, 1].
    observed
        Annual Sharpe ratio of the true alignment.
    typical
        Median of the shifted ones.
    n_shifts
        How many shifts were tried.
    is_complete
        Whether these were all there are.
    """

    p_as_good: float
    p_as_bad: float
    observed: float
    typical: float
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
    """Compare the Sharpe ratio of sized trades with that of shifted sizings.

    Parameters
    ----------
    base
        Shape (n_trades,): each trade's profit at multiplier 1, over the starting balance, in the
        order the trades were entered.
    multipliers
        Shape (n_trades,), > 0, in the same order.
    days
        Shape (n_trades,): number of the day each trade closed on.
    n_days
        Days in all.
    seed
        For the draw of shifts, where there are more than `max_shifts`.
    max_shifts
        How many are tried at most.

    Returns
    -------
    ShiftTest or None
        None with fewer than `MIN_TRADES` trades, with equal multipliers, or where returns do not
        vary: there is nothing to compare.

    Notes
    -----
    The Sharpe ratio does not depend on how much is bet in all, so a sizing does not look better for
    being smaller.

    Memory learns from the very trades. So shifted multipliers can follow outcomes that they should
    know nothing of, and look too good: `p_as_good` is then too large, which is safe, and `p_as_bad`
    too small (`benchmarks/bench_evaluate.py` measures it). `timing` has no such bias, which is why
    a claim needs both.

    What this does not show: whether the sized trades beat the unsized ones; the interval of the
    difference does. Trades are taken as given: that another stake might have led to other trades
    (wallet, minimum stakes) is left out.
    """
    n = len(base)
    if n < MIN_TRADES or np.ptp(multipliers) <= _SAME:
        return None
    observed = _sharpe(base * multipliers, days, n_days)
    if not math.isfinite(observed):
        return None
    shifts = np.arange(1, n)
    if len(shifts) > max_shifts:
        shifts = np.random.default_rng(seed).choice(shifts, size=max_shifts, replace=False)
    shifted = np.array(
        [_sharpe(base * np.roll(multipliers, shift), days, n_days) for shift in shifts]
    )
    slack = 1e-9 * max(1.0, abs(observed))  # equal up to rounding is as good, and as bad
    return ShiftTest(
        p_as_good=p_value(int(np.sum(shifted >= observed - slack)), len(shifts)),
        p_as_bad=p_value(int(np.sum(shifted <= observed + slack)), len(shifts)),
        observed=observed,
        typical=float(np.median(shifted)),
        n_shifts=len(shifts),
        is_complete=len(shifts) == n - 1,
    )


def p_value(n_as_extreme: int, n_tried: int) -> float:
    """Return (1 + b) / (1 + B): the observed one counts as one of those tried.

    >>> p_value(0, 99)
    0.01
    """
    return (1 + n_as_extreme) / (1 + n_tried)


def _sharpe(profits: NDArray[np.float64], days: NDArray[np.int64], n_days: int) -> float:
    return sharpe(np.bincount(days, weights=profits, minlength=n_days).astype(np.float64))
