"""How a strategy has done lately: its losing streak, and how far it is below its best.

Both are functions of the trades known strictly before a moment, in the order in which they became
known (trades of the same millisecond by their ids). What arrived when does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from numpy.typing import NDArray

_UNIT = 1 << 50
"""One, in the fixed point in which profit ratios are added without rounding."""

_MANY = 64
"""So many trades are faster to take in columns than one by one."""
_MOST = 1 << 20
_LARGE = 1 << 12
_LOW_BITS = 26
_LOW_MASK = (1 << _LOW_BITS) - 1


@dataclass(frozen=True, slots=True)
class Form:
    """The state of a strategy after all trades known so far, each counted whole.

    Parameters
    ----------
    n_trades
        How many there are, >= 0. Not decayed: an old trade counts as much as a new one.
    losing_streak
        How many of the last ones lost without another in between, in [0, `n_trades`]. A trade
        that made exactly nothing ends a streak.
    drawdown_ratio
        How far the sum of profit ratios is below its highest so far (at least 0), as if each trade
        had had the same stake. >= 0; in profit ratios, 0.1 is a tenth of one stake.

    Notes
    -----
    What this does not show: trades of sister bots and of priors are in it like own ones. A streak
    of trades that were open at the same time is one misfortune rather than many. A strategy without
    an edge has a drawdown that grows with the root of `n_trades`, one that loses never ends its
    own.
    """

    n_trades: int = 0
    losing_streak: int = 0
    drawdown_ratio: float = 0.0


class Tally:
    """Takes trades in their order; what it found is exact, it adds integers."""

    __slots__ = ("_best", "_n", "_streak", "_sum")

    def __init__(self) -> None:
        self._n = self._streak = self._sum = self._best = 0

    def add(self, profit_ratio: float) -> None:
        """Take the next trade; O(1)."""
        value = round(profit_ratio * _UNIT)
        self._n += 1
        self._streak = self._streak + 1 if profit_ratio < 0.0 else 0
        self._sum += value
        self._best = max(self._best, self._sum)

    def add_all(self, profit_ratios: NDArray[np.float64]) -> None:
        """Take the next trades in their order, as `add` would; shape (n_trades,)."""
        if len(profit_ratios) < _MANY or float(np.abs(profit_ratios).max()) >= _LARGE:
            for ratio in profit_ratios.tolist():
                self.add(ratio)
            return
        for first in range(0, len(profit_ratios), _MOST):
            self._add_page(profit_ratios[first : first + _MOST])

    def _add_page(self, ratios: NDArray[np.float64]) -> None:
        values = np.rint(ratios * _UNIT).astype(np.int64)
        # Sums of all values may need more than 64 bits; those of their halves do not.
        low = np.cumsum(values & _LOW_MASK)
        high = np.cumsum(values >> _LOW_BITS) + (low >> _LOW_BITS)
        low &= _LOW_MASK
        top = high.max()
        best = (int(top) << _LOW_BITS) + int(low[high == top].max())
        self._n += len(values)
        unbroken = np.flatnonzero(ratios >= 0.0)
        if len(unbroken):
            self._streak = len(values) - 1 - int(unbroken[-1])
        else:
            self._streak += len(values)
        self._best = max(self._best, self._sum + best)
        self._sum += (int(high[-1]) << _LOW_BITS) + int(low[-1])

    def form(self) -> Form:
        """Return the form after all trades taken."""
        return Form(self._n, self._streak, (self._best - self._sum) / _UNIT)


class FormReader:
    """The form of a strategy as of any moment; moving forward costs O(1) per trade.

    For one thread at a time.

    Parameters
    ----------
    read_on
        Gives the profit ratios of trades known strictly before a moment that it has not given yet,
        in their order, and before them whether it began anew, because what it gave before holds no
        more. See `recall.Recall.reader`.
    """

    def __init__(self, read_on: Callable[[datetime], tuple[bool, NDArray[np.float64]]]) -> None:
        self._read_on = read_on
        self._tally = Tally()

    def at(self, moment: datetime) -> Form:
        """Return the form of all trades known strictly before an aware UTC moment."""
        began_anew, ratios = self._read_on(moment)
        if began_anew:
            self._tally = Tally()
        self._tally.add_all(ratios)
        return self._tally.form()
