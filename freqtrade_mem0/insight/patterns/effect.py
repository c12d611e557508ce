"""How much the results of a cell differ from others, with an interval."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.insight.student import half_width, upper_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bools = NDArray[np.bool_]
    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

PSEUDO_BLOCKS = 25.0
"""Of a difference in this many blocks, half is believed: differences of 0.2 standard deviations of
a trade are usual, and what was found because it is large is smaller than it looks."""

_MIN_BLOCKS = 3


class Effect(NamedTuple):
    """A difference of two mean profit ratios.

    Parameters
    ----------
    n_blocks
        Trades of the cell, those that overlap counted as one.
    ratio
        Mean of the cell minus that of the others.
    low, high
        95 % interval.
    sign_probability
        Probability that the difference has the sign that it was found with, in [0, 1].
    """

    n_blocks: int
    ratio: float
    low: float
    high: float
    sign_probability: float


def effect(
    ratios: Floats, block: Ints, inside: Bools, sign: float, *, shrunk: bool = False
) -> Effect | None:
    """Return the effect of a cell; None with too few blocks to say anything.

    Parameters
    ----------
    ratios, block, inside
        Of each trade its profit ratio, its block, and whether it is in the cell, shape (n_trades,).
    sign
        Of the difference that was found.
    shrunk
        Whether the difference is believed only in part; see `PSEUDO_BLOCKS`. For trades by which
        it was found.
    """
    own, others = (_block_means(ratios[part], block[part]) for part in (inside, ~inside))
    if min(len(own), len(others)) < _MIN_BLOCKS:
        return None
    difference = float(own.mean() - others.mean())
    own_error, other_error = (part.var(ddof=1) / len(part) for part in (own, others))
    error = math.sqrt(own_error + other_error)
    if error <= 0.0:
        return None
    # Welch's degrees of freedom.
    freedom = (own_error + other_error) ** 2 / (
        own_error**2 / (len(own) - 1) + other_error**2 / (len(others) - 1)
    )
    believed = len(own) / (len(own) + PSEUDO_BLOCKS) if shrunk else 1.0
    difference, error = believed * difference, math.sqrt(believed) * error
    half = half_width(freedom) * error
    return Effect(
        len(own),
        difference,
        difference - half,
        difference + half,
        1.0 - upper_share(sign * difference / error, freedom),
    )


def _block_means(ratios: Floats, block: Ints) -> Floats:
    _, number = np.unique(block, return_inverse=True)
    if not len(number):
        return np.zeros(0)
    means: Floats = np.bincount(number, ratios) / np.bincount(number)
    return means
