r"""Whether larger stakes meet better trades: a test that learning from them can not fool.

Memory learns from the very trades it is judged on: after good ones it bets more. A sequence of
multipliers shifted against the trades then follows outcomes it ought to know nothing of, and looks
too good beside the true one (see `null`). Here nothing is shifted. Each trade's profit :math:`b_i`
is compared with the mean of the trades *after* it, and each multiplier with the mean of those
*before* it, both of which are known to be innocent: what was decided before a trade can not depend
on the trade or its successors, unless it truly foresees.

.. math::

    x_i = \sqrt{\tfrac{n - i}{n - i + 1}} \Big( b_i - \frac{1}{n - i} \sum_{j > i} b_j \Big),
    \qquad
    S = \sum_i \Big( m_i - \frac{1}{i - 1} \sum_{j < i} m_j \Big) x_i

Without foresight S has mean 0, however the multipliers react to the past. Its spread is found by
turning round the sign of whole blocks of days at random.

References
----------
Arellano, M. and Bover, O. (1995). Another look at the instrumental variable estimation of
error-components models. Journal of Econometrics 68 (1), 29-51 (forward orthogonal deviations).
Davidson, R. and Flachaire, E. (2008). The wild bootstrap, tamed at last. Journal of Econometrics
146 (1), 162-169 (random signs).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.compare.statistics.block_resampling import MIN_DAYS, optimal_block_length
from freqtrade_mem0.compare.statistics.shift_test import MIN_TRADES, p_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FLIPS = 1_999

_SAME = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTest:
    """How larger stakes went with better trades.

    Parameters
    ----------
    correlation
        Of multipliers, against their past, and profits, against their future; [-1, 1].
    p_better
        How often no foresight at all shows as much of it, (0, 1].
    p_worse
        How often it shows as little, (0, 1].
    """

    correlation: float
    p_better: float
    p_worse: float


def timing_test(
    base: NDArray[np.float64],
    multipliers: NDArray[np.float64],
    days: NDArray[np.int64],
    *,
    n_days: int,
    seed: int,
    n_flips: int = N_FLIPS,
) -> TimingTest | None:
    """Test whether multipliers foresaw profits.

    Parameters
    ----------
    base
        Shape (n_trades,): each trade's profit at multiplier 1, in the order of entry.
    multipliers
        Shape (n_trades,), > 0, in the same order.
    days
        Shape (n_trades,): number of the day each trade closed on.
    n_days
        Days in all.
    seed
        For the signs.
    n_flips
        How often signs are drawn.

    Returns
    -------
    TimingTest or None
        None with fewer than `MIN_TRADES` trades, or where multipliers or profits do not vary.

    Notes
    -----
    What this does not show: how much was gained by it. A mean profit that drifts over the whole
    time looks like foresight to whoever follows it, as it should: following it is what memory does.
    """
    if len(base) < MIN_TRADES or n_days < MIN_DAYS or np.ptp(multipliers) <= _SAME:
        return None
    sizes, profits = against_past(multipliers), against_future(base)
    norm = math.sqrt(float(np.sum(sizes**2)) * float(np.sum(profits**2)))
    if norm <= 0.0:
        return None
    scores = np.bincount(days, weights=sizes * profits, minlength=n_days).astype(np.float64)
    length = math.ceil(optimal_block_length(scores))
    blocks = np.add.reduceat(scores, np.arange(0, n_days, length))
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], size=(n_flips, len(blocks)))
    flipped, observed = signs @ blocks, float(blocks.sum())
    slack = _SAME * norm
    return TimingTest(
        correlation=observed / norm,
        p_better=p_value(int(np.sum(flipped >= observed - slack)), n_flips),
        p_worse=p_value(int(np.sum(flipped <= observed + slack)), n_flips),
    )


def against_past(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each value minus the mean of those before it; 0.0 for the first.

    >>> against_past(np.array([1.0, 3.0, 5.0])).tolist()
    [0.0, 2.0, 3.0]
    """
    before = np.cumsum(values)[:-1] / np.arange(1, len(values))
    deviations: NDArray[np.float64] = values - np.concatenate([values[:1], before])
    return deviations


def against_future(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return forward orthogonal deviations: of as equal spread, and uncorrelated, as the values.

    >>> against_future(np.array([2.0, 0.0])).round(3).tolist()
    [1.414, 0.0]
    """
    n_after = np.arange(len(values) - 1, 0, -1)
    after = np.cumsum(values[:0:-1])[::-1] / n_after
    deviations = np.sqrt(n_after / (n_after + 1.0)) * (values[:-1] - after)
    return np.concatenate([deviations, [0.0]])
