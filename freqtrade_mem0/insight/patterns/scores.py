"""Scores of results: where a trade's result ranks among those known before it was opened."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

WINDOW = 100
"""Earlier trades that a result is compared with. A drift over more trades than these is no
evidence for a cell whose trades are mostly late."""

MIN_EARLIER = 10
"""With fewer earlier trades a result has no score."""

_CHUNK = 8_192


def ranks(values: Floats, known_ms: Ints, open_ms: Ints) -> Floats:
    """Return where each value ranks among those of the last `WINDOW` trades known before its entry.

    Parameters
    ----------
    values
        By trade, shape (n_trades,); NaN where there is none.
    known_ms, open_ms
        When each trade became known and was opened, shape (n_trades,); sorted by `known_ms`.

    Returns
    -------
    ndarray
        Shape (2, n_trades): the rank in (0, 1), ties in the middle, and the number of values it was
        compared with. The rank is NaN where that number is below `MIN_EARLIER`.
    """
    n_known = np.searchsorted(known_ms, open_ms, side="left")
    padded = np.concatenate([np.full(WINDOW, np.nan), values])
    earlier = sliding_window_view(padded, WINDOW)
    found = np.full((2, len(values)), np.nan)
    for first in range(0, len(values), _CHUNK):
        part = slice(first, first + _CHUNK)
        window, own = earlier[n_known[part]], values[part, None]
        beats = np.count_nonzero(window < own, axis=1) - np.count_nonzero(window > own, axis=1)
        n = np.count_nonzero(window == window, axis=1)  # noqa: PLR0124 - NaN is not
        found[0, part] = (beats + n + 1) / (2 * (n + 1))
        found[1, part] = n
    found[0, (found[1] < MIN_EARLIER) | np.isnan(values)] = np.nan
    return found


def scores(results: Floats, known_ms: Ints, open_ms: Ints) -> Floats:
    """Return the normal score of each result, NaN where there is none, shape (n_trades,).

    Where a trade's result is no different from the earlier ones, each rank is equally likely, so
    its score has mean 0, variance 1, and E[exp(t * score)] <= exp(t ** 2 / 2); see `test_scores`.
    """
    rank, n_earlier = ranks(results, known_ms, open_ms)
    found: Floats = _normal(rank) / _sizes()[n_earlier.astype(np.int64)]
    return found


@cache
def _sizes() -> Floats:
    """Return the root mean square of all scores by number of earlier trades."""
    places = [(np.arange(n + 1) + 0.5) / (n + 1) for n in range(WINDOW + 1)]
    sizes: Floats = np.sqrt([np.square(_normal(each)).mean() for each in places])
    return sizes


def _normal(rank: Floats) -> Floats:
    """Return Tukey's approximation of the normal quantile, without loading SciPy."""
    found: Floats = rank**0.14 - (1.0 - rank) ** 0.14
    return found
