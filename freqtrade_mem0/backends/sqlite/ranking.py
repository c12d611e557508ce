"""The rows with the best scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def best(
    positions: NDArray[np.int64], scores: NDArray[np.float32], n_most: int | None
) -> NDArray[np.int64]:
    """Return the indices of the `n_most` (None: all) highest scores; ties by lower position.

    >>> best(np.array([7, 3, 5]), np.array([0.5, 0.5, 0.9], dtype=np.float32), 2).tolist()
    [2, 1]
    """
    n_wanted = len(scores) if n_most is None else max(0, min(n_most, len(scores)))
    chosen = np.arange(len(scores))
    if 0 < n_wanted < len(scores):
        bound = np.partition(scores, -n_wanted)[-n_wanted]
        chosen = np.flatnonzero(scores >= bound)  # more than wanted if several are equal
    order = np.lexsort((positions[chosen], -scores[chosen]))
    return chosen[order[:n_wanted]]
