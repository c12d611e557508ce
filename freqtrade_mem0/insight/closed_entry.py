"""What the response to volatility and memory's account read of a closed trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


class Entry(NamedTuple):
    """The entry of a trade: its pair, side, tag ("" where there is none) and situation."""

    pair: str
    side: str
    enter_tag: str
    situation: Mapping[str, float | str]


class ClosedEntry(NamedTuple):
    """A closed trade, seen from its entry.

    Parameters
    ----------
    known_ms, open_ms
        When it became known, and when it was opened; milliseconds since 1970 in UTC.
    ratio
        Profit ratio after fees.
    weight
        In [0, 1]: below 1 for the trades of priors, 0.0 for trades that do not count.
    volatility, momentum
        Of its situation. The volatility is 0.0 where it is unknown; the momentum is in the
        direction of the trade, in [-5, 5], 0.0 where it is unknown.
    is_short
        Its side.
    entry
        The whole entry, where recall keeps it.
    """

    known_ms: int
    open_ms: int
    ratio: float
    weight: float
    volatility: float
    momentum: float
    is_short: bool
    entry: Entry | None = None


class EntryColumns(NamedTuple):
    """The same of many closed trades, in columns of shape (n_trades,); at least one trade."""

    known_ms: NDArray[np.int64]
    open_ms: NDArray[np.int64]
    ratio: NDArray[np.float64]
    weight: NDArray[np.float64]
    volatility: NDArray[np.float64]
    momentum: NDArray[np.float64]
    is_short: NDArray[np.bool_]
