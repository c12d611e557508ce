"""Computes market features of many windows of candles at once.

NumPy's cost is per call, so a hundred windows cost little more than one. A feature depends on its
own window only, bit for bit, not on the windows it is computed with. Therefore there are no running
sums (their rounding errors would also show where prices stand still), and each window is a row of
its own, along which NumPy reduces independently of other rows; BLAS does not guarantee that.

References
----------
Wilder, J. W. (1978). New Concepts in Technical Trading Systems (true range, RSI).
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.situation.values import all_to_six_digits

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    Floats = NDArray[np.float64]

WINDOW = 240
"""Closed candles that the features are computed from."""

MIN_CANDLES = 120
"""With fewer closed candles the situation is empty."""

FEATURES = (
    "volatility",
    "volatility_rank",
    "trend",
    "momentum",
    "rsi",
    "range_position",
    "volume_ratio",
)
N_NUMBERS = len(FEATURES) + 1

_RANGE = 14
_FAST, _MEDIUM, _SLOW = 12, 48, 96
_JUMP = 2.0
"""Multiple of the median true range that is a jump of volatility."""

_STEPS = np.arange(_MEDIUM, dtype=np.float64) - (_MEDIUM - 1) / 2
_SLOPE_WEIGHTS = _STEPS / np.square(_STEPS).sum()
"""Weights of prices in the slope of their least-squares line."""


class Columns:
    """The columns of a pair's candles, and their true ranges.

    Parameters
    ----------
    frame
        Freqtrade's dataframe, shape (n, columns), n >= `MIN_CANDLES`, with high, low, close,
        volume. It is not changed.
    """

    def __init__(self, frame: DataFrame) -> None:
        self.high, self.low, self.close, self.volume = (
            np.ascontiguousarray(frame[name].to_numpy(dtype=np.float64))
            for name in ("high", "low", "close", "volume")
        )
        # Element k is the move from candle k to candle k + 1.
        self.moves = np.diff(self.close)
        before = self.close[:-1]
        with np.errstate(all="ignore"):
            ranges = np.maximum(self.high[1:], before) - np.minimum(self.low[1:], before)
            # Element k of these two belongs to candle k + _RANGE.
            self.spread = _means(ranges, _RANGE)
            self.relative = self.spread / self.close[_RANGE:]

    def movements(self, ends: NDArray[np.intp]) -> Floats:
        """Return volatility and momentum, shape (n_windows, 2), as `Windows.numbers` does.

        They need no window of their own, so thousands cost what a few of those cost.

        Parameters
        ----------
        ends
            Number of candles up to the end of each window, shape (n_windows,), each from
            `MIN_CANDLES` to the number of all candles.
        """
        last, newest = ends - 1, ends - 1 - _RANGE
        with np.errstate(all="ignore"):
            moves = self.close[last] - self.close[last - _FAST]
            momentum = moves / (self.spread[newest] * math.sqrt(_FAST))
        return all_to_six_digits(np.stack((self.relative[newest], momentum), axis=1))


class Windows:
    """All windows of one width over the columns of a pair.

    Parameters
    ----------
    columns
        Of the pair.
    width
        Candles in a window, from `MIN_CANDLES` to `WINDOW`, at most as many as there are.
    """

    def __init__(self, columns: Columns, width: int) -> None:
        self.width = width
        self._columns = columns
        self._relative = _sliding(columns.relative, width - _RANGE)
        self._moves = _sliding(columns.moves, width - 1)
        self._high = _sliding(columns.high, _MEDIUM)
        self._low = _sliding(columns.low, _MEDIUM)
        self._close = _sliding(columns.close, _MEDIUM)
        self._volume = _sliding(columns.volume, _SLOW)

    def numbers(self, ends: NDArray[np.intp]) -> Floats:
        """Return the features of some windows.

        Parameters
        ----------
        ends
            Number of candles up to the end of each window, shape (n_windows,), each from `width` to
            the number of all candles. A window takes 8 kB of memory meanwhile.

        Returns
        -------
        numpy.ndarray
            Shape (n_windows, `N_NUMBERS`): the values of `FEATURES` to six digits, then the jump of
            the true range (see `_jumps`). A value that can not be computed is not finite.
        """
        starts, medium = ends - self.width, ends - _MEDIUM
        # Independent of what a strategy sets for NumPy's errors: divisions by zero are expected.
        with np.errstate(all="ignore"):
            relative = _rows(self._relative, starts)
            low = np.minimum.reduce(_rows(self._low, medium), axis=1)
            high = np.maximum.reduce(_rows(self._high, medium), axis=1)
            close = _rows(self._close, medium)
            last = close[:, -1]
            spread = self._columns.spread[ends - 1 - _RANGE]
            numbers = np.stack(
                (
                    relative[:, -1],
                    _ranks(relative),
                    _slopes(close) * math.sqrt(_MEDIUM) / spread,
                    (last - close[:, -1 - _FAST]) / (spread * math.sqrt(_FAST)),
                    _rsi(_rows(self._moves, starts)),
                    (last - low) / (high - low),
                    _volume_ratios(_rows(self._volume, ends - _SLOW)),
                    _jumps(relative),
                ),
                axis=1,
            )
        numbers[:, :-1] = all_to_six_digits(numbers[:, :-1])
        return numbers


def _sliding(column: Floats, width: int) -> Floats:
    """Return a view of all windows of a column; `sliding_window_view` is 20 times slower."""
    n_windows = len(column) - width + 1
    return np.ndarray((n_windows, width), column.dtype, column, strides=2 * column.strides)


def _means(values: Floats, width: int) -> Floats:
    """Return the moving average, each sum computed from its first to its last value."""
    n_means = len(values) - width + 1
    means = values[:n_means].copy()
    for first in range(1, width):
        means += values[first : first + n_means]
    means /= width
    return means


def _rows(windows: Floats, starts: NDArray[np.intp]) -> Floats:
    """Return a contiguous copy of some windows, shape (n_windows, width)."""
    return np.ascontiguousarray(windows[starts])


def _ranks(values: Floats) -> Floats:
    """Return the rank of each row's last value among all of the row, in (0, 1]."""
    last = values[:, -1:]
    ranks = _counts(values <= last) / values.shape[1]
    known: Floats = np.where(np.isnan(last[:, 0]), math.nan, ranks)
    return known


def _counts(found: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return how many of each row are true; a row is shorter than 256."""
    # A third of the time of `np.count_nonzero`, which makes whole numbers of all of them first.
    counts: NDArray[np.uint8] = np.add.reduce(found.view(np.uint8), axis=1, dtype=np.uint8)
    return counts


def _slopes(prices: Floats) -> Floats:
    """Return the slope of the regression line through each row, in price per candle."""
    # Relative to the last price: no loss of precision where moves are small against the price.
    moved = prices - prices[:, -1:]
    moved *= _SLOPE_WEIGHTS
    slopes: Floats = np.add.reduce(moved, axis=1)
    return slopes


def _rsi(moves: Floats) -> Floats:
    """Return Wilder's RSI of each row, in [0, 100]; NaN where no price moved. Changes the rows."""
    # In place: another array of this size would cost more than the computation.
    moves *= _wilder_weights(moves.shape[1])
    net: Floats = np.add.reduce(moves, axis=1)
    both: Floats = np.add.reduce(np.abs(moves, out=moves), axis=1)
    return 50.0 + 50.0 * net / both


@lru_cache
def _wilder_weights(n_moves: int) -> Floats:
    """Return the weights of a window's moves in Wilder's moving average, oldest first.

    It starts with the mean of the first 14 moves and continues as `(13 * mean + move) / 14`.
    """
    kept = (_RANGE - 1) / _RANGE
    age = np.arange(n_moves - 1, -1, -1, dtype=np.float64)
    weights: Floats = kept ** np.minimum(age, float(n_moves - _RANGE)) / _RANGE
    return weights


def _volume_ratios(volumes: Floats) -> Floats:
    """Return each row's mean over the last `_FAST` candles over that of all, >= 0."""
    recent: Floats = np.add.reduce(np.ascontiguousarray(volumes[:, -_FAST:]), axis=1) / _FAST
    usual: Floats = np.add.reduce(volumes, axis=1) / volumes.shape[1]
    return recent / usual


def _jumps(relative: Floats) -> Floats:
    """Return each row's last value over the row's median, where that is above 2, else NaN."""
    last = relative[:, -1]
    # A jump means that more than half of the row is below half of the last value; counting these is
    # faster than computing every median.
    n_below = _counts(relative < last[:, np.newaxis] / _JUMP)
    jumps = np.full(len(relative), math.nan)
    found = np.flatnonzero(n_below > relative.shape[1] / 2)
    if len(found):
        medians = np.median(relative[found], axis=1)
        jumps[found] = np.where(medians > 0.0, last[found] / medians, math.nan)
    return jumps
