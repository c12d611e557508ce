"""The rows with the best scores, and the words of a query that a keyword search uses."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import sqlite3

    from numpy.typing import NDArray

_MAX_QUERY_WORDS = 32
_RARE_ENOUGH = 0.2  # share of rows that may hold a word of a keyword search
_ALWAYS_RARE_ENOUGH = 1_000  # rows


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


def telling_words(connection: sqlite3.Connection, query: str, n_rows: int) -> list[str]:
    """Return the words of a query, quoted, that are rare enough to tell memories apart."""
    words = list(dict.fromkeys(re.findall(r"[^\W_]+", query.lower())))[:_MAX_QUERY_WORDS]
    most = max(_ALWAYS_RARE_ENOUGH, _RARE_ENOUGH * n_rows)
    telling = []
    for word in words:
        held = connection.execute("SELECT doc FROM word_counts WHERE term = ?", (word,)).fetchone()
        if held is not None and held[0] <= most:
            telling.append(f'"{word}"')
    return telling
