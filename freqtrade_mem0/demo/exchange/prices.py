"""Prices of the exchange stand-in: a function of the wall clock, and what tests impose on it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING
from zlib import crc32

import numpy as np

from freqtrade_mem0.demo.exchange.markets import candle_files

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from freqtrade_mem0.demo.exchange.markets import Market

    Series = npt.NDArray[np.float64]

INTERVALS_S = {
    "1s": 1,
    "1m": 60,
    "3m": 180,
    "5m": 300,
    "15m": 900,
    "30m": 1_800,
    "1h": 3_600,
    "2h": 7_200,
    "4h": 14_400,
    "6h": 21_600,
    "8h": 28_800,
    "12h": 43_200,
    "1d": 86_400,
    "1w": 604_800,
}

_RANDOM_POINTS = 100_000
_RANDOM_STEP_RATIO = 0.0006
_MAX_POINTS_PER_CANDLE = 240
"""Long candles are sampled, so that a thousand daily candles are quick to compute."""


class PricePath:
    """The price of one market at any time.

    The price walks a fixed path of points forward and backward, one point per `seconds_per_point`
    of wall time. It has no jump at the ends, and a restarted process continues at the same price.
    Shocks and pins end with the process.

    Thread-safe: imposed prices are tuples that are replaced, never changed.

    Parameters
    ----------
    market
        The market.
    points
        The path, in quote currency, shape (n_points,), all > 0.
    seconds_per_point
        Wall seconds per point, > 0. Four points are one candle of the data: with 5m candles and
        1.0, the market runs 75 times faster than it did.
    """

    def __init__(self, market: Market, points: Series, seconds_per_point: float) -> None:
        self.market = market
        self._points = points
        self._seconds_per_point = seconds_per_point
        self._shocks: tuple[tuple[float, float], ...] = ()
        self._pins: tuple[tuple[float, float, float], ...] = ()

    def at(self, moment_s: float) -> float:
        """Return the price at a wall time, in epoch seconds."""
        step = np.array([math.floor(moment_s / self._seconds_per_point)])
        # Imposed prices start when they are imposed, not at the next point.
        return float(self._imposed(self._walk(step), np.array([moment_s]))[0])

    def moments(self, since_s: float, until_s: float) -> list[float]:
        """Return the wall times in (since, until] at which the price can change, and the last."""
        first = math.floor(since_s / self._seconds_per_point) + 1
        last = math.floor(until_s / self._seconds_per_point)
        times = {step * self._seconds_per_point for step in range(first, last + 1)} | {until_s}
        times |= {start for start, _ in self._shocks if since_s < start <= until_s}
        return sorted(times)

    def shock(self, factor: float, moment_s: float) -> None:
        """Multiply the price by `factor` from a moment on."""
        self._shocks = (*self._shocks, (moment_s, factor))

    def move_to(self, price: float, moment_s: float) -> None:
        """Shift the path so that it passes through `price` at a moment."""
        self.shock(price / self.at(moment_s), moment_s)

    def pin(self, moment_s: float) -> None:
        """Hold the price at its value from a moment on."""
        self._pins = (*self._pins, (moment_s, math.inf, self.at(moment_s)))

    def unpin(self, moment_s: float) -> None:
        """Let a held price return to its path."""
        self._pins = tuple((start, min(end, moment_s), price) for start, end, price in self._pins)

    def candles(
        self,
        interval_s: int,
        now_s: float,
        *,
        start_s: float | None = None,
        end_s: float | None = None,
        limit: int = 500,
    ) -> list[tuple[int, float, float, float, float]]:
        """Return `(open time in s, open, high, low, close)`, chosen as Binance's klines are.

        The first and the last open time are inclusive; without a start, the newest candles. The
        last candle can be unfinished.
        """
        newest = math.floor((now_s if end_s is None else min(now_s, end_s)) / interval_s)
        if start_s is None:
            oldest = newest - limit + 1
        else:
            oldest = math.ceil(start_s / interval_s)
            newest = min(newest, oldest + limit - 1)
        if newest < oldest:
            return []
        times = self._times(oldest * interval_s, min((newest + 1) * interval_s, now_s), interval_s)
        steps = np.floor(times / self._seconds_per_point).astype(np.int64)
        prices = self._imposed(self._walk(steps), times)
        opens = np.arange(oldest, newest + 1) * interval_s
        firsts = np.searchsorted(times, opens, side="left")
        return [
            (int(start), float(part[0]), float(part.max()), float(part.min()), float(part[-1]))
            for start, part in zip(opens, np.split(prices, firsts[1:]), strict=True)
            if len(part)
        ]

    def _times(self, start_s: float, end_s: float, interval_s: int) -> Series:
        """Return the times at which prices are sampled."""
        spacing = max(self._seconds_per_point, interval_s / _MAX_POINTS_PER_CANDLE)
        # A whole number of samples per candle: every candle begins with a sample.
        spacing = interval_s / max(1, round(interval_s / spacing))
        n_times = max(1, math.ceil((end_s - start_s) / spacing))
        return start_s + spacing * np.arange(n_times, dtype=np.float64)

    def _walk(self, steps: npt.NDArray[np.int64]) -> Series:
        n_points = len(self._points)
        position = steps % (2 * n_points)
        there = np.where(position < n_points, position, 2 * n_points - 1 - position)
        return self._points[there]

    def _imposed(self, prices: Series, times: Series) -> Series:
        for start, factor in self._shocks:
            prices = np.where(times >= start, prices * factor, prices)
        for start, end, price in self._pins:
            prices = np.where((times >= start) & (times < end), price, prices)
        return prices


def price_path(market: Market, data_dir: Path | None, seconds_per_point: float) -> PricePath:
    """Return the path of a market: its candles in `data_dir`, or a seeded random walk.

    It uses the shortest timeframe. A candle gives four points: open, low and high (low first if it
    rises), close.
    """
    path = None if data_dir is None else _finest_candles(market.pair, data_dir)
    points = _random_walk(market) if path is None else _points_of(path)
    return PricePath(market, points, seconds_per_point)


def _finest_candles(pair: str, data_dir: Path) -> Path | None:
    found = [
        (INTERVALS_S[timeframe], files[pair])
        for timeframe, files in candle_files(data_dir).items()
        if timeframe in INTERVALS_S and pair in files
    ]
    return min(found)[1] if found else None


def _points_of(path: Path) -> Series:
    import pandas as pd  # only with data

    candles = pd.read_feather(path)
    opening, high, low, close = (candles[c].to_numpy() for c in ("open", "high", "low", "close"))
    rising = close >= opening
    middle = (np.where(rising, low, high), np.where(rising, high, low))
    points: Series = np.stack([opening, *middle, close], axis=1).ravel()
    return points


def _random_walk(market: Market) -> Series:
    rng = np.random.default_rng(crc32(market.symbol.encode()))
    walk = np.cumsum(rng.standard_normal(_RANDOM_POINTS)) * _RANDOM_STEP_RATIO
    # Without drift the price stays near its start.
    walk -= np.linspace(0.0, walk[-1], _RANDOM_POINTS)
    points: Series = market.start_price * np.exp(walk)
    return points
