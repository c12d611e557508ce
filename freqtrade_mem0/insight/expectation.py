"""What the trades known say about the profit of one entry, with its uncertainty."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.insight.shrinkage import shifts, standard_error
from freqtrade_mem0.insight.student import half_width, upper_share

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.insight.shrinkage import EntryGroup, Moments, Shrinkage


class Expectation(NamedTuple):
    """The mean profit ratio of entries like one.

    Parameters
    ----------
    mean_ratio
        Its estimate; 0.0 where no trade is known.
    low_ratio, high_ratio
        95 % interval of the mean; None below two effective trades.
    is_gain
        Probability that the mean is above zero, in [0, 1]; 0.5 without an interval.
    """

    mean_ratio: float
    low_ratio: float | None
    high_ratio: float | None
    is_gain: float


def expectation(
    whole: Moments,
    levels: Sequence[EntryGroup],
    theta_of: Mapping[str, float],
    prior: Shrinkage,
) -> Expectation:
    """Return what is expected of an entry that belongs to these groups.

    The mean is that of `insight.shrinkage`: the mean of all trades and the shrunk deviations of the
    groups. Its variance is that of the mean of all trades, and for each level what is left of the
    variance between groups once the trades of the group are known.

    Parameters
    ----------
    whole, levels, theta_of, prior
        As in `insight.shrinkage.shifts`.

    Notes
    -----
    What this does not show: trades that overlap in time are taken as independent, which makes the
    interval too narrow. It is about the mean of such entries; a single trade varies far more.
    """
    mean = whole.mean + math.fsum(shifts(whole, levels, theta_of, prior))
    error = standard_error(whole)
    if error is None:
        return Expectation(mean, None, None, 0.5)
    square, variance = whole.spread**2, error**2
    counted = {whole}
    for name, _, moments, _ in levels:
        theta = theta_of.get(name, 1.0 / prior.pseudo_trades)
        if moments.n <= 0.0 or moments not in counted:  # equal moments: the same trades
            counted.add(moments)
            variance += square * theta / (moments.n * theta + 1.0)
    error, freedom = math.sqrt(variance), whole.n_effective - 1.0
    half = half_width(freedom) * error
    t = math.copysign(math.inf, mean) if error == 0.0 else mean / error
    is_gain = 0.5 if mean == 0.0 else upper_share(min(max(-t, -1e6), 1e6), freedom)
    return Expectation(mean, mean - half, mean + half, is_gain)
