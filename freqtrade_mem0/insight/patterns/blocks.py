"""Blocks of trades that were opened while another one of them was open."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]


def blocks(open_ms: Ints, close_ms: Ints) -> Ints:
    """Return the number of each trade's block, shape (n_trades,).

    A block is a trade and those opened before it was closed, or before the median holding time
    was over, whichever is earlier; so one trade that is held for months does not take in all
    others. Such trades move together. They are counted as one.
    """
    found = np.zeros(len(open_ms), dtype=np.int64)
    if not len(open_ms):
        return found
    order = np.argsort(open_ms, kind="stable")
    usual_ms = int(np.median(close_ms - open_ms))
    opens = open_ms[order].tolist()
    ends = np.minimum(close_ms, open_ms + usual_ms)[order].tolist()
    number = first = 0
    while first < len(opens):
        after = bisect_left(opens, max(ends[first], opens[first] + 1), first)
        found[order[first:after]] = number
        number, first = number + 1, after
    return found
