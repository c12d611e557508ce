"""The situation at any candle of a pair.

In a backtest all candles are there, and so are the strategy's entry signals. The features at the
next signals are computed together in a block, so that an entry only looks up its row. This is no
look-ahead: each row depends on the candles before it only. A bot computes its one row the same way.
"""

from __future__ import annotations

import math
from array import array
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.situation.indicators import IndicatorColumns
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
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from pandas import DataFrame

    from freqtrade_mem0.situation.indicators import Indicator
    from freqtrade_mem0.situation.values import Situation

_SIGNALS = ("enter_long", "enter_short")

_FIRST_BLOCK, _MAX_BLOCK = 64, 256
"""Candles computed together; 256 of them take 2 MB meanwhile."""

_WORTH_IT = 64
"""A block pays if at least one in 64 of its candles is asked for."""


class Candles:
    """The candles of a pair.

    Results depend on their own window only, bit for bit, not on what is asked in which order.

    Parameters
    ----------
    frame
        Freqtrade's dataframe, shape (n, columns), with date (open time, ascending), high, low,
        close, volume; and with its signals (enter_long, enter_short), where there are any. It is
        not changed.
    indicators
        Indicators of TA-Lib that are features, too.
    """

    def __init__(self, frame: DataFrame, indicators: Sequence[Indicator] = ()) -> None:
        self._open_ms = _open_ms(frame)
        steps = np.diff(self._open_ms)
        self._first_ms, self._step_ms = 0, 0
        """When the first candle opened, and how far each opens after the one before; 0 and 0 where
        they are not all as far apart."""
        if len(steps) and steps[0] > 0 and (steps == steps[0]).all():
            self._first_ms, self._step_ms = self._open_ms.item(0), steps.item(0)
        # One flat list of numbers, and by candle where its numbers start. A list for each candle
        # would trigger full garbage collections over all of Freqtrade's objects.
        self._block: list[float] = []
        self._ahead: dict[int, int] = {}
        self._span = 0, 0
        """The first and the last candle of the block."""
        self._n_block = _FIRST_BLOCK
        self._at = 0
        self._numbers: list[float] = []
        self._frame = frame
        self._indicators: IndicatorColumns | None = None
        if len(frame) >= MIN_CANDLES:
            self._columns = Columns(frame)
            self._windows = Windows(self._columns, min(len(frame), WINDOW))
            if indicators:
                self._indicators = IndicatorColumns(frame, indicators)

    def n_closed(self, moment_ms: int, timeframe_s: int) -> int:
        """Return how many candles were closed at a moment, in epoch milliseconds."""
        last_open_ms = moment_ms - timeframe_s * 1_000
        if self._step_ms:  # no candle is missing
            n_open = (last_open_ms - self._first_ms) // self._step_ms + 1
            return max(0, min(n_open, len(self._open_ms)))
        return int(self._open_ms.searchsorted(last_open_ms, side="right"))

    def closed_ms(self, timeframe_s: int) -> int:
        """Return when the last candle closed or closes, in epoch milliseconds."""
        return int(self._open_ms.item(-1)) + timeframe_s * 1_000

    def features(self, n_closed: int) -> Situation:
        """Return the features of the last `WINDOW` of the first `n_closed` candles.

        Empty with fewer than `MIN_CANDLES` of them.

        Returns
        -------
        dict
            `volatility` (mean true range of 14 candles over price, ratio), `volatility_rank` (its
            rank in the window, [0, 1]), `trend` (slope of a least-squares line over 48 candles over
            the range of a random walk, signed), `momentum` (the same for the return of 12 candles),
            `rsi` (Wilder's, [0, 100]), `range_position` (in the range of 48 candles, [0, 1]),
            `volume_ratio` (mean volume of 12 candles over that of 96), and the names of buckets
            `volatility_regime`, `trend_regime`, `regime`; each indicator's value and bucket, see
            `IndicatorColumns.values`. A feature that can not be computed (no volume, a price that
            never moves) is left out.
        """
        return self.named(n_closed, self.numbers(n_closed))

    def named(self, n_closed: int, numbers: Sequence[float]) -> Situation:
        """Return the features from what `numbers` returned."""
        if not numbers:
            return {}
        # Not strict: the last number is no feature.
        found: Situation = dict(zip(FEATURES, numbers, strict=False))
        if not math.isfinite(sum(found.values())):  # type: ignore[arg-type]
            found = {name: value for name, value in found.items() if math.isfinite(value)}  # type: ignore[arg-type]
        found |= regimes(found)
        if self._indicators is not None:
            found |= self._indicators.values(n_closed)
        return found

    def with_indicators(self, n_closed: int) -> DataFrame:
        """Return the last `WINDOW` of the first `n_closed` candles, the indicators as columns."""
        window = self._frame.iloc[max(0, n_closed - WINDOW) : n_closed]
        return (
            window
            if self._indicators is None
            else window.assign(**self._indicators.series(n_closed))
        )

    def times_usual_range(self, n_closed: int) -> float | None:
        """Return the relative true range over its median in the window, where that is above 2.

        None where it is less, or with fewer than `MIN_CANDLES` candles.
        """
        numbers = self.numbers(n_closed)
        return numbers[-1] if numbers and math.isfinite(numbers[-1]) else None

    def numbers(self, n_closed: int) -> Sequence[float]:
        """Return the values of `FEATURES` and the jump of the range; none with too few candles.

        One that can not be computed is not finite.
        """
        return () if n_closed < MIN_CANDLES else self._numbers_at(n_closed)

    def movements(self, timeframe_s: int) -> tuple[array[int], array[float]]:
        """Return when each signalled entry is made, and its volatility and momentum.

        Those without enough candles before them are left out.

        Returns
        -------
        tuple
            Epoch milliseconds, ascending, shape (n_entries,); volatility and momentum of each entry
            in turn, shape (2 * n_entries,), not finite where they can not be computed.
        """
        ends = self._entries[self._entries >= MIN_CANDLES]
        if len(ends) == 0:
            return array("q"), array("d")
        moments = self._open_ms[ends - 1] + timeframe_s * 1_000
        return array("q", moments.tobytes()), array("d", self._columns.movements(ends).tobytes())

    @cached_property
    def _entries(self) -> NDArray[np.intp]:
        """Number of closed candles at each signalled entry, ascending.

        Freqtrade enters at the candle after the signal.
        """
        signalled = np.zeros(len(self._frame), dtype=bool)
        for name in _SIGNALS:
            if name in self._frame:
                signalled |= self._frame[name].eq(1).to_numpy(dtype=bool, na_value=False)
        return np.flatnonzero(signalled) + 1

    @cached_property
    def _starts(self) -> NDArray[np.intp]:
        """The first of each run of signalled entries at consecutive candles."""
        return self._entries[np.diff(self._entries, prepend=-1) > 1]

    def _numbers_at(self, n_closed: int) -> list[float]:
        """Return the numbers at a candle, computing a block if it is not in the present one."""
        if n_closed != self._at:
            if n_closed not in self._ahead:
                self._compute_block(n_closed)
            start = self._ahead.pop(n_closed)
            self._at, self._numbers = n_closed, self._block[start : start + N_NUMBERS]
        return self._numbers

    def _compute_block(self, n_closed: int) -> None:
        """Compute the numbers at a candle and at the next entries that may be asked for.

        Freqtrade enters at the start of a run of signals, and later in it only where it could not
        enter before. So the rest of a run is computed only if one of its candles is asked for.
        """
        width = min(n_closed, WINDOW)
        if width != self._windows.width:
            self._windows = Windows(self._columns, width)
        entries, starts = self._entries, self._starts
        later = int(starts.searchsorted(n_closed, side="right"))
        is_start = later > 0 and starts.item(later - 1) == n_closed
        is_between = not is_start and self._span[0] < n_closed < self._span[1]
        if not is_between:
            self._resize()
            self._block, self._ahead = [], {}
        ends = np.array([n_closed])
        if width == WINDOW:
            if not is_start:
                end = entries.searchsorted(starts.item(later)) if later < len(starts) else None
                rest = entries[entries.searchsorted(n_closed, side="right") : end]
                ends = np.append(ends, rest[: self._n_block - 1])
            if not is_between:
                ends = np.append(ends, starts[later : later + self._n_block - len(ends)])
                self._span = n_closed, ends.item(-1)
        first = len(self._block)
        self._block += self._windows.numbers(ends).ravel().tolist()
        self._ahead |= zip(ends.tolist(), range(first, len(self._block), N_NUMBERS), strict=True)

    def _resize(self) -> None:
        """Let the size of the next block follow how much of the present one was asked for."""
        n_asked = len(self._block) // N_NUMBERS - len(self._ahead)
        if n_asked * _WORTH_IT >= self._n_block:
            self._n_block = min(2 * self._n_block, _MAX_BLOCK)
        elif n_asked:
            self._n_block //= 2


def _open_ms(frame: DataFrame) -> NDArray[np.int64]:
    """Return when each candle opened, in epoch milliseconds; an empty dataframe has no dates."""
    if "date" not in frame:
        return np.empty(0, dtype=np.int64)
    return frame["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
