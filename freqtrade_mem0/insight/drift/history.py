"""The closed trades of a run by the day of their entry, and histories made of shuffled days."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.insight.block_resampling import optimal_block_length, resample

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DAY_MS = 86_400_000

MIN_TRADES, MIN_DAYS = 100, 90
"""A shorter history says too little about its own spread to be a measure for anything."""

_LEAST_BLOCK_DAYS = 5.0

Z = 1.959964
"""The 97.5 % quantile of the normal distribution."""
_TRADES_AT_ONCE = 1_000_000
"""Of all shuffled histories together; with more trades a year, fewer are drawn."""


class DriftTrade(NamedTuple):
    """A closed trade; `volatility` is that of its market at entry, NaN where it is unknown."""

    open_ms: int
    close_ms: int
    ratio: float
    pair: str
    volatility: float
    id: str = ""


class Path(NamedTuple):
    """A series of trades in the order in which they closed.

    Parameters
    ----------
    trades
        Their numbers in the history, shape (n,).
    close_ms
        When they closed, since the begin of the first day, shape (n,).
    days
        The days of the history that estimates come from.
    """

    trades: Ints
    close_ms: Ints
    days: Ints


@dataclass(frozen=True)
class History:
    """The trades of a run, in the order of their entries.

    Parameters
    ----------
    trades
        In any order.
    until_ms
        The end of the time that the run covers, epoch milliseconds; by default the last close.
    """

    trades: Sequence[DriftTrade]
    until_ms: int | None = None

    @cached_property
    def ordered(self) -> list[DriftTrade]:
        """The trades by entry."""
        return sorted(self.trades, key=lambda trade: (trade.open_ms, trade.close_ms, trade.id))

    @property
    def n(self) -> int:
        """Number of trades."""
        return len(self.trades)

    @cached_property
    def begin_ms(self) -> int:
        """The begin of the first day, epoch milliseconds."""
        return self.ordered[0].open_ms // DAY_MS * DAY_MS if self.n else 0

    @cached_property
    def n_days(self) -> int:
        """Days from the first entry to the end, both included."""
        if not self.n:
            return 0
        last_ms = max(trade.close_ms for trade in self.trades)
        return (max(last_ms, self.until_ms or 0) - self.begin_ms) // DAY_MS + 1

    @cached_property
    def open_ms(self) -> Ints:
        """Entries since the begin of the first day."""
        return np.array([trade.open_ms for trade in self.ordered], dtype=np.int64) - self.begin_ms

    @cached_property
    def close_ms(self) -> Ints:
        """Exits since the begin of the first day."""
        return np.array([trade.close_ms for trade in self.ordered], dtype=np.int64) - self.begin_ms

    @cached_property
    def ratios(self) -> Floats:
        """Profit ratios."""
        return np.array([trade.ratio for trade in self.ordered], dtype=np.float64)

    @cached_property
    def day(self) -> Ints:
        """The day of each entry, from 0."""
        return self.open_ms // DAY_MS

    @cached_property
    def n_by_day(self) -> Ints:
        """Entries of each day, shape (n_days,)."""
        return np.bincount(self.day, minlength=self.n_days).astype(np.int64)

    @cached_property
    def _first_by_day(self) -> Ints:
        return np.cumsum(self.n_by_day) - self.n_by_day

    @property
    def lacks(self) -> str:
        """What is missing for a measure of its own spread; "" for nothing."""
        if self.n >= MIN_TRADES and self.n_days >= MIN_DAYS:
            return ""
        return (
            f"{self.n} trades in {self.n_days} days are too few; at least {MIN_TRADES} trades in "
            f"{MIN_DAYS} days are needed"
        )

    @cached_property
    def whole(self) -> Path:
        """The history as it was."""
        order = np.argsort(self.close_ms, kind="stable")
        return Path(order, self.close_ms[order], np.arange(self.n_days))

    def drawn(self, days: Ints, estimated_from: Ints) -> Path:
        """Return the trades that were entered on some days, which follow on each other now.

        Trades that close after the last of these days are left out.
        """
        counts = self.n_by_day[days]
        starts = np.cumsum(counts) - counts
        trades = np.arange(counts.sum()) + np.repeat(self._first_by_day[days] - starts, counts)
        moved = np.repeat(np.arange(len(days)) - days, counts) * DAY_MS
        close_ms = self.close_ms[trades] + moved
        order = np.argsort(close_ms, kind="stable")
        order = order[: np.searchsorted(close_ms[order], len(days) * DAY_MS)]
        return Path(trades[order], close_ms[order], estimated_from)

    def block_days(self, *daily: Floats, times: float = 1.0, most: float = math.inf) -> float:
        """Return the mean length of the blocks in which days are shuffled.

        The longest that the daily results, the days' numbers of entries or other `daily` series ask
        for, `times` that, at least the usual holding time, and no more than `most` blocks.
        """
        results = np.bincount(self.day, weights=self.ratios, minlength=self.n_days)
        held_days = float(np.median(self.close_ms - self.open_ms)) / DAY_MS
        series = (results, self.n_by_day, *daily)
        asked = max(optimal_block_length(each.astype(np.float64)) for each in series)
        least = max(_LEAST_BLOCK_DAYS, self.n_days / most)
        return min(max(times * asked, held_days, least), self.n_days / 4.0)

    def widening(self, block_days: float, deviations: float = Z) -> float:
        """Return by how much resamples of so few blocks spread too little.

        The spread of n blocks is estimated as if their mean were known, which makes it smaller by
        the square root of (n - 1) / n, and is itself uncertain, which makes it Student's t. That
        has longer tails: `deviations` says how many standard deviations out one is.
        """
        freedom = max(self.n_days / block_days - 1.0, 1.0)
        # Wallace, D. L. (1959), as in `insight/student.py`, solved for t.
        normal = deviations * (8.0 * freedom + 3.0) / (8.0 * freedom + 1.0)
        student = math.sqrt(freedom * math.expm1(normal * normal / freedom))
        return student / deviations * math.sqrt((freedom + 1.0) / freedom)

    def shuffled(self, length: int, block_days: float, n_paths: int, seed: int) -> Iterator[Path]:
        """Yield histories of `length` days that could have come instead of this one.

        Days are drawn in blocks, twice: first as many as the history has, of which the estimates
        come (`Path.days`), then from those the days of the path. So a path differs from its
        estimates by as much as one stretch of time from another: by the chance in both.

        A third of `n_paths` is drawn of a history with very many trades.
        """
        per_path = self.n / self.n_days * length
        if per_path * n_paths > _TRADES_AT_ONCE:
            n_paths = max(int(_TRADES_AT_ONCE / per_path), n_paths // 3)
        rng = np.random.default_rng(seed)
        for _ in range(n_paths):
            days = resample(self.n_days, block_days, 1, rng)[0]
            again = resample(self.n_days, block_days, 1, rng, length)[0]
            yield self.drawn(days[again], days)

    @cached_property
    def log_volatilities(self) -> Floats:
        """Logarithm of the volatility at each entry; NaN where it is unknown."""
        return np.array(
            [
                math.log(trade.volatility) if trade.volatility > 0.0 else math.nan
                for trade in self.ordered
            ]
        )
