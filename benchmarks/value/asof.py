"""Sums over the trades known at each entry: strictly as of the moment, by group, decaying.

The same numbers an incremental memory keeps, for a whole table at once: research needs thousands
of replays. Equality with the incremental `candidate.Candidate` is checked by `check.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def group_codes(table: pd.DataFrame, columns: Sequence[str]) -> Ints:
    """Return a whole number per row for the values of some columns; none: all rows are one."""
    if not columns:
        return np.zeros(len(table), dtype=np.int64)
    joined = table[columns[0]].astype(str)
    for column in columns[1:]:
        joined = joined + "|" + table[column].astype(str)
    return np.asarray(pd.factorize(joined)[0], dtype=np.int64)


def decayed_sums(
    open_ms: Ints, close_ms: Ints, codes: Ints, values: Floats, half_life_days: float
) -> Floats:
    """Return, for each trade, sums over the trades of its group closed strictly before its entry.

    Parameters
    ----------
    open_ms, close_ms
        UTC milliseconds, shape (n,).
    codes
        The group each trade is in and asks about, shape (n,).
    values
        What is summed, shape (n, m).
    half_life_days
        A trade closed that long ago weighs half, > 0; infinity weighs all alike. Ages are taken
        at the start of the entry's UTC day, so that a memory need not look again all day long.

    Returns
    -------
    numpy.ndarray
        Shape (n, m).
    """
    origin = open_ms.min()
    rate = np.log(2.0) / (half_life_days * MS_PER_DAY)
    sums = np.zeros_like(values)
    day_ms = open_ms - open_ms % MS_PER_DAY
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        by_close = rows[np.argsort(close_ms[rows], kind="stable")]
        weights = np.exp(rate * (close_ms[by_close] - origin))
        running = np.vstack(
            [np.zeros(values.shape[1]), np.cumsum(weights[:, None] * values[by_close], axis=0)]
        )
        known = np.searchsorted(close_ms[by_close], open_ms[rows], side="left")
        sums[rows] = running[known] * np.exp(-rate * (day_ms[rows] - origin))[:, None]
    return sums
