"""The candles of a pair, asked for the situation at any of them.

In a backtest the rest of the candles is known, and with them where the strategy will want to enter.
The numbers of these candles are computed together, some way ahead; what is left for each entry is
to look one row up. A bot has nothing ahead and computes its one row the same way.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.situation.windows import (
    FEATURES,
    MIN_CANDLES,
    N_NUMBERS,
    WINDOW,
    Columns,
    Windows,
)
from freqtrade_mem0.situation.words import regimes

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from freqtrade_mem0.situation.values import Situation

_SIGNALS = ("enter_long", "enter_short")

_FIRST_BLOCK, _MAX_BLOCK = 64, 256
"""Candles computed together; 256 of them take 2 MB while this is done."""

_WORTH_IT = 64
"""Candles computed for one that is asked for; they cost less than another block would."""


class Candles:
    """The candles of a pair as columns, asked for the features at any of them.

    What is computed ahead is only kept at hand: each number depends on its own window alone, bit
    for bit, whatever is asked in which order.

    Parameters
    ----------
    frame
        Freqtrade's dataframe, shape (n, columns), with date (open time, ascending), high, low,
        close, volume; and with its signals (enter_long, enter_short), where there are any. It is
        not changed.
    """

    def __init__(self, frame: DataFrame) -> None:
        self._open_ms = _open_ms(frame)
        # Numbers in one flat list, and where in it those of a candle begin. Not a list for each
        # candle: enough of them make Python look through all that Freqtrade holds for garbage.
        self._block: list[float] = []
        self._ahead: dict[int, int] = {}
        self._n_block = _FIRST_BLOCK
        self._at = 0
        self._numbers: list[float] = []
        if len(frame) >= MIN_CANDLES:
            self._frame = frame
            self._columns = Columns(frame)
            self._windows = Windows(self._columns, min(len(frame), WINDOW))

    def n_closed(self, moment_ms: int, timeframe_s: int) -> int:
        """Return how many candles were closed at a moment, in epoch milliseconds."""
        opens, step_ms = self._open_ms, timeframe_s * 1_000
        last_open_ms = moment_ms - step_ms
        if len(opens) and last_open_ms >= opens.item(0):
            # Right where no candle is missing up to there, as nearly everywhere.
            guess = min((last_open_ms - opens.item(0)) // step_ms + 1, len(opens))
            if opens.item(guess - 1) <= last_open_ms and (
                guess == len(opens) or last_open_ms < opens.item(guess)
            ):
                return guess
        return int(opens.searchsorted(last_open_ms, side="right"))

    def features(self, n_closed: int) -> Situation:
        """Return the features of the last `WINDOW` of the first `n_closed` candles.

        Empty with fewer than `MIN_CANDLES` of them.

        Returns
        -------
        dict
            `volatility` (mean true range of 14 candles over price, ratio), `volatility_rank` (its
            rank in the window, [0, 1]), `trend` (slope of a regression line over 48 candles against
            the range a random walk would cover, signed), `momentum` (the same for the return of
            12), `rsi` ([0, 100]), `range_position` (place in the range of 48 candles, [0, 1]),
            `volume_ratio` (mean volume of 12 over that of 96), and the bucket names
            `volatility_regime`, `trend_regime`, `regime`. A feature that can not be computed (no
            volume, a price that never moves) is left out.
        """
        if n_closed < MIN_CANDLES:
            return {}
        # Not strict: what follows the features is no feature.
        found: Situation = {
            name: value
            for name, value in zip(FEATURES, self._numbers_at(n_closed), strict=False)
            if math.isfinite(value)
        }
        found |= regimes(found)
        return found

    def times_usual_range(self, n_closed: int) -> float | None:
        """Return how far the last candles range against their window, where that is a jump.

        Parameters
        ----------
        n_closed
            As for `features`.

        Returns
        -------
        float or None
            The relative true range over its median in the window, > 2; None where it is less, or
            where there are too few candles.
        """
        if n_closed < MIN_CANDLES:
            return None
        times = self._numbers_at(n_closed)[-1]
        return times if math.isfinite(times) else None

    @cached_property
    def _entries(self) -> NDArray[np.intp]:
        """How many candles are closed at each entry that is signalled, ascending.

        Freqtrade enters at the candle after the signal, when the one that gave it is closed.
        """
        signalled = np.zeros(len(self._frame), dtype=bool)
        for name in _SIGNALS:
            if name in self._frame:
                signalled |= self._frame[name].eq(1).to_numpy(dtype=bool, na_value=False)
        return np.flatnonzero(signalled) + 1

    def _numbers_at(self, n_closed: int) -> list[float]:
        """Return the numbers at a candle, from those at hand or computed with some ahead."""
        if n_closed != self._at:
            if n_closed not in self._ahead:
                self._look_ahead(n_closed)
            start = self._ahead.pop(n_closed)
            self._at, self._numbers = n_closed, self._block[start : start + N_NUMBERS]
        return self._numbers

    def _look_ahead(self, n_closed: int) -> None:
        """Compute the numbers at a candle and at the next ones at which an entry is signalled."""
        # Most signals are never asked for: a trade is open already. So no further ahead than what
        # was asked of the last block shows to be worth it.
        n_asked = len(self._block) // N_NUMBERS - len(self._ahead)
        if n_asked * _WORTH_IT >= self._n_block:
            self._n_block = min(2 * self._n_block, _MAX_BLOCK)
        elif n_asked:
            self._n_block //= 2
        width = min(n_closed, WINDOW)
        if width != self._windows.width:
            self._windows = Windows(self._columns, width)
        ends = np.array([n_closed])
        if width == WINDOW and n_closed < len(self._frame):
            first = self._entries.searchsorted(n_closed, side="right")
            ends = np.append(ends, self._entries[first : first + self._n_block - 1])
        self._block = self._windows.numbers(ends).ravel().tolist()
        starts = range(0, len(self._block), N_NUMBERS)
        self._ahead = dict(zip(ends.tolist(), starts, strict=True))


def _open_ms(frame: DataFrame) -> NDArray[np.int64]:
    """Return when each candle opened, in epoch milliseconds; an empty dataframe has no dates."""
    if "date" not in frame:
        return np.empty(0, dtype=np.int64)
    return frame["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
