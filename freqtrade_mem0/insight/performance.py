"""A strategy's recent performance: its losing streak and its drawdown, as of any moment.

Both depend only on the trades known strictly before the moment, in the order in which they became
known (trades of the same millisecond in the order of their ids), not on the order of arrival.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

_UNIT = 1 << 50
"""1.0 in the fixed point in which profit ratios are added without rounding."""

_MIN_VECTORIZED = 64
"""With fewer trades a Python loop is faster than NumPy."""

_PAGE = 1 << 20
_LARGE = 1 << 12
"""Ratios from here on, and longer pages, would overflow 64 bits."""

_LOW_BITS = 26
_LOW_MASK = (1 << _LOW_BITS) - 1


@dataclass(frozen=True, slots=True)
class RecentPerformance:
    """The losing streak and the drawdown after all trades known so far.

    Parameters
    ----------
    n_trades
        Number of trades, >= 0, without decay.
    losing_streak
        Length of the run of losing trades at the end, in [0, `n_trades`]. A profit ratio of
        exactly 0 ends a streak.
    drawdown_ratio
        Highest cumulative sum of profit ratios so far (at least 0) minus the present one, >= 0. All
        stakes are taken as equal: 0.1 is a tenth of one stake.

    Notes
    -----
    What this does not show: trades of the same strategy's other bots and of priors count like the
    bot's own. Several losing trades that were open at the same time are one bad move of the market,
    not independent losses. The drawdown of a strategy without an edge grows with the square root
    of `n_trades`.
    """

    n_trades: int = 0
    losing_streak: int = 0
    drawdown_ratio: float = 0.0


class RunningPerformance:
    """Updates the recent performance trade by trade. It adds integers, so it is exact."""

    __slots__ = ("_n", "_peak", "_streak", "_sum")

    def __init__(self) -> None:
        self._n = self._streak = self._sum = self._peak = 0

    def add(self, profit_ratio: float) -> None:
        """Add the next trade in O(1)."""
        value = round(profit_ratio * _UNIT)
        self._n += 1
        self._streak = self._streak + 1 if profit_ratio < 0.0 else 0
        self._sum += value
        self._peak = max(self._peak, self._sum)

    def add_all(self, profit_ratios: NDArray[np.float64]) -> None:
        """Add the next trades in their order, shape (n_trades,); the result is that of `add`."""
        if len(profit_ratios) < _MIN_VECTORIZED or float(abs(profit_ratios).max()) >= _LARGE:
            for ratio in profit_ratios.tolist():
                self.add(ratio)
            return
        for first in range(0, len(profit_ratios), _PAGE):
            self._add_page(profit_ratios[first : first + _PAGE])

    def _add_page(self, ratios: NDArray[np.float64]) -> None:
        import numpy as np

        values = np.rint(ratios * _UNIT).astype(np.int64)
        # Cumulative sums may need more than 64 bits, those of the high and the low halves do not.
        low = np.cumsum(values & _LOW_MASK)
        high = np.cumsum(values >> _LOW_BITS) + (low >> _LOW_BITS)
        low &= _LOW_MASK
        highest = high.max()
        peak = (int(highest) << _LOW_BITS) + int(low[high == highest].max())
        self._n += len(values)
        not_lost = np.flatnonzero(ratios >= 0.0)
        if len(not_lost):
            self._streak = len(values) - 1 - int(not_lost[-1])
        else:
            self._streak += len(values)
        self._peak = max(self._peak, self._sum + peak)
        self._sum += (int(high[-1]) << _LOW_BITS) + int(low[-1])

    def result(self) -> RecentPerformance:
        """Return the performance after all trades added."""
        return RecentPerformance(self._n, self._streak, (self._peak - self._sum) / _UNIT)


class PerformanceReader:
    """The recent performance as of any moment; moving forward costs O(1) per trade.

    For one thread at a time.

    Parameters
    ----------
    read_on
        Returns the profit ratios of trades known strictly before a moment that it has not returned
        yet, in their order, and whether it starts over because earlier ones no longer hold. See
        `recall.Recall.reader`.
    """

    def __init__(self, read_on: Callable[[datetime], tuple[bool, NDArray[np.float64]]]) -> None:
        self._read_on = read_on
        self._running = RunningPerformance()

    def at(self, moment: datetime) -> RecentPerformance:
        """Return the performance of all trades known strictly before an aware UTC moment."""
        starts_over, ratios = self._read_on(moment)
        if starts_over:
            self._running = RunningPerformance()
        self._running.add_all(ratios)
        return self._running.result()
