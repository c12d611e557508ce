r"""The timing test: whether larger stakes met better trades.

Memory learns from the trades it is tested on: after good trades it raises stakes. This makes
shifted multipliers look too good (see `random_sizing`). The timing test shifts nothing. It compares
each trade's profit :math:`b_i` with the mean profit of the trades *after* it, and each multiplier
:math:`m_i` with the mean of the multipliers *before* it:

.. math::

    x_i = \sqrt{\tfrac{n - i}{n - i + 1}} \Big( b_i - \frac{1}{n - i} \sum_{j > i} b_j \Big),
    \qquad
    S = \sum_i \Big( m_i - \frac{1}{i - 1} \sum_{j < i} m_j \Big) x_i

Without foresight S has mean 0, however the multipliers react to the past. The spread of S comes
from random signs of whole blocks of days.

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

from freqtrade_mem0.insight.block_resampling import MIN_DAYS, optimal_block_length
from freqtrade_mem0.worth.daily import by_day
from freqtrade_mem0.worth.random_sizing import MIN_TRADES, p_value

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_FLIPS = 1_999

_SAME = 1e-12


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingTest:
    """Correlation of multipliers with the profits that followed, in [-1, 1].

    `p_better` and `p_worse` are the shares of sizings without foresight whose correlation is as
    high, as low; in (0, 1].
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
    """Test whether the multipliers foresaw the profits; see `shift_test` for the parameters.

    None for fewer than `MIN_TRADES` trades or `MIN_DAYS` days, and where multipliers or profits do
    not vary.

    What this does not show: how much was gained. A mean profit that drifts over the whole run
    counts as foresight if the multipliers follow it.
    """
    if len(base) < MIN_TRADES or n_days < MIN_DAYS or np.ptp(multipliers) <= _SAME:
        return None
    sizes, profits = against_past(multipliers), against_future(base)
    norm = math.sqrt(float(np.sum(sizes**2)) * float(np.sum(profits**2)))
    if norm <= 0.0:
        return None
    scores = by_day(sizes * profits, days, n_days)
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
    """Return forward orthogonal deviations: same variance as the values, uncorrelated.

    >>> against_future(np.array([2.0, 0.0])).round(3).tolist()
    [1.414, 0.0]
    """
    n_after = np.arange(len(values) - 1, 0, -1)
    after = np.cumsum(values[:0:-1])[::-1] / n_after
    deviations = np.sqrt(n_after / (n_after + 1.0)) * (values[:-1] - after)
    return np.concatenate([deviations, [0.0]])
