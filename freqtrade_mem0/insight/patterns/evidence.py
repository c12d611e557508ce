"""The evidence for each cell, and which cells are accepted together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.patterns.features import pattern_type

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.patterns.cells import Cells

    Floats = NDArray[np.float64]

FALSE_SHARE = 0.1
"""The share of false ones among the accepted cells is at most this, on average."""

_BETS = ((0.12, 0.05), (0.4, 0.9), (0.8, 0.05))
"""Differences in standard deviations that are bet on, and the share of the money on each."""

_DEPTH_SHARES = (0.85, 0.15)
"""Weight of all cells of depth 1, and of all of depth 2."""


def log_e_values(totals: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Return the logarithms of the e-values of cells, and the sign of their difference.

    Had a cell no difference, its e-value would reach x with a probability of at most 1 / x, however
    often one looks. A cell has to differ from each of its surroundings in the same direction.

    Parameters
    ----------
    totals, variances
        See `Cells`, shape (n_surroundings, n_cells).

    Returns
    -------
    tuple
        Both of shape (n_cells,); the sign is 1.0 where its results are better.
    """
    better = _log_bets(totals, variances).min(axis=0)
    worse = _log_bets(-totals, variances).min(axis=0)
    return np.logaddexp(better, worse) - math.log(2.0), np.where(better >= worse, 1.0, -1.0)


def accepted(
    log_e: Floats, log_weights: Floats, false_share: float = FALSE_SHARE
) -> NDArray[np.bool_]:
    """Return which cells are accepted: the e-BH procedure with weights (Wang and Ramdas 2022).

    The weights add up to 1 and must not depend on the results.
    """
    weighted = log_e + log_weights
    falling = np.sort(weighted)[::-1]
    passing = np.flatnonzero(falling >= -np.log(false_share * np.arange(1, len(falling) + 1)))
    if not len(passing):
        return np.zeros(len(log_e), dtype=np.bool_)
    found: NDArray[np.bool_] = weighted >= falling[passing[-1]]
    return found


def weights(tested: Sequence[Cells]) -> Floats:
    """Return the weight of each cell; they add up to 1.

    Depth 1 gets `_DEPTH_SHARES[0]` of it, and in a depth each type of pattern the same. In a type,
    a cell gets it in proportion to the square of what its trades can tell, so that the many small
    cells do not use it up. All of this is known without the results.
    """
    found, used = [], [cells for cells in tested if len(cells.numbers)]
    groups = [(len(cells.features), pattern_type(cells.names)) for cells in used]
    told = [np.square(cells.variances.min(axis=0)) for cells in used]
    n_types = Counter(depth for depth, _ in set(groups))
    whole = math.fsum(_DEPTH_SHARES[depth - 1] for depth in n_types)
    same: dict[tuple[int, str], float] = defaultdict(float)
    for group, part in zip(groups, told, strict=True):
        same[group] += float(part.sum())
    for group, part in zip(groups, told, strict=True):
        share = _DEPTH_SHARES[group[0] - 1] / whole / n_types[group[0]]
        found.append(part * (share / same[group]))
    return np.concatenate([np.zeros(0), *found])


def _log_bets(totals: Floats, variances: Floats) -> Floats:
    logs = [
        math.log(money) + size * totals - size * size * variances / 2.0 for size, money in _BETS
    ]
    found: Floats = np.logaddexp.reduce(logs, axis=0)
    return found
