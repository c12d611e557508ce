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

FALSE_SHARE = 0.05
"""The share of false ones among the accepted cells is at most this, on average."""

_SIZE = 0.5
"""The difference that is bet on, in standard deviations."""

_LEAST = 60.0
"""Until a cell has so many trades it needs as large a sum of scores as one that has them. So little
is spent on cells that are too small to tell a difference of `_SIZE`."""

_SHARES = {"trade": 0.6, "timing": 0.125, "market": 0.125, "exit": 0.125}
"""Weight of all cells of depth 1, by type."""
_SHARE_OF_DEPTH_2 = 0.15

_erfc = np.frompyfunc(math.erfc, 1, 1)


def log_evidence(totals: Floats, variances: Floats) -> tuple[Floats, Floats]:
    """Return the logarithm of each cell's evidence, and the sign of its difference.

    The evidence is 1 / p, where p is the probability that a cell without a difference ever comes
    so far, however often one looks and however long the history gets. A cell has to differ from
    each of its surroundings in the same direction.

    Parameters
    ----------
    totals, variances
        See `Cells`, shape (n_surroundings, n_cells).

    Returns
    -------
    tuple
        Both of shape (n_cells,); the sign is 1.0 where its results are better.
    """
    doubt = _SIZE**2 / 2.0 * np.maximum(variances, _LEAST)
    better = (_SIZE * totals - doubt).min(axis=0)
    worse = (-_SIZE * totals - doubt).min(axis=0)
    won = np.maximum(better, worse)
    # How likely a random walk crosses a boundary that is level until `_LEAST`, by reflection; and
    # one that rises by _SIZE / 2 from then on.
    height, root = won / _SIZE, math.sqrt(_LEAST)
    before = 2.0 * _upper((height + _SIZE / 2.0 * _LEAST) / root)
    after = _upper((_SIZE / 2.0 * _LEAST - height) / root)
    with np.errstate(divide="ignore"):
        log_p = math.log(2.0) + np.logaddexp(np.log(before), np.log(after) - won)
    return np.maximum(-log_p, 0.0), np.where(better >= worse, 1.0, -1.0)


def accepted(
    evidence: Floats, log_weights: Floats, false_share: float = FALSE_SHARE
) -> NDArray[np.bool_]:
    """Return which cells are accepted: the procedure of Benjamini and Hochberg with weights.

    The weights add up to 1 and must not depend on the results.
    """
    weighted = evidence + log_weights
    falling = np.sort(weighted)[::-1]
    passing = np.flatnonzero(falling >= -np.log(false_share * np.arange(1, len(falling) + 1)))
    if not len(passing):
        return np.zeros(len(evidence), dtype=np.bool_)
    found: NDArray[np.bool_] = weighted >= falling[passing[-1]]
    return found


def weights(tested: Sequence[Cells]) -> Floats:
    """Return the weight of each cell; they add up to 1.

    Pairs, sides and tags get most of it: there are few, and they are what can be acted on. In a
    type, a cell with too few trades to be accepted yet gets little. All of this is known without
    the results.
    """
    used = [cells for cells in tested if len(cells.numbers)]
    groups = [(len(cells.features), pattern_type(cells.names)) for cells in used]
    n_types = Counter(depth for depth, _ in set(groups))
    shares = {
        group: _SHARES[group[1]] if group[0] == 1 else _SHARE_OF_DEPTH_2 / n_types[group[0]]
        for group in set(groups)
    }
    told = [np.square(np.minimum(cells.n_blocks / _LEAST, 1.0)) for cells in used]
    same: dict[tuple[int, str], float] = defaultdict(float)
    for group, part in zip(groups, told, strict=True):
        same[group] += float(part.sum())
    whole = math.fsum(shares.values())
    found = [
        part * (shares[group] / whole / same[group])
        for group, part in zip(groups, told, strict=True)
    ]
    return np.concatenate([np.zeros(0), *found])


def _upper(x: Floats) -> Floats:
    """Return the probability that a standard normal number exceeds `x`."""
    found: Floats = np.asarray(_erfc(x / math.sqrt(2.0)), dtype=np.float64) / 2.0
    return found
