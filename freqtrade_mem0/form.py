"""How a strategy has done lately: its losing streak, and how far it is below its best.

Both are functions of the trades known strictly before a moment, in the order in which they became
known (trades of the same millisecond by their ids). What arrived when does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

_UNIT = 1 << 50
"""One, in the fixed point in which profit ratios are added without rounding."""


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

    def __init__(self, read_on: Callable[[datetime], tuple[bool, Sequence[float]]]) -> None:
        self._read_on = read_on
        self._tally = Tally()

    def at(self, moment: datetime) -> Form:
        """Return the form of all trades known strictly before an aware UTC moment."""
        began_anew, ratios = self._read_on(moment)
        if began_anew:
            self._tally = Tally()
        for ratio in ratios:
            self._tally.add(ratio)
        return self._tally.form()
