"""Tick sizes that are computed once are those that Freqtrade computes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from freqtrade.data.btanalysis.historic_precision import get_tick_size_over_time

from freqtrade_mem0.compare.engine.tick_sizes import remembered


def candles(seed: int, digits: int = 3) -> pd.DataFrame:
    """Return hourly candles over two months, whole prices among them."""
    rng = np.random.default_rng(seed)
    prices = np.round(100.0 + rng.random((1_000, 4)), digits)
    frame = pd.DataFrame(prices, columns=["open", "high", "low", "close"])
    frame["volume"] = 1.0
    frame.insert(0, "date", pd.date_range("2024-01-10", periods=1_000, freq="h", tz="UTC"))
    return frame


def test_they_are_freqtrades_own_and_so_are_the_columns_it_adds() -> None:
    """Asked for the first time and again, with all columns whole numbers or none."""
    for digits in (0, 1, 3):
        asked: list[int] = []

        def own(frame: pd.DataFrame, asked: list[int] = asked) -> Any:
            asked.append(len(frame))
            return get_tick_size_over_time(frame)

        tick_sizes = remembered(own)
        expected_frame = candles(1, digits)
        expected = get_tick_size_over_time(expected_frame)
        for _ in range(2):
            frame = candles(1, digits)
            pd.testing.assert_series_equal(tick_sizes(frame), expected)
            pd.testing.assert_frame_equal(frame, expected_frame)
        assert len(asked) == 1


def test_other_prices_or_dates_are_computed_anew() -> None:
    """One price, or one date, makes other candles of them."""
    tick_sizes = remembered(get_tick_size_over_time)
    tick_sizes(candles(1))
    finer, later = candles(1), candles(1)
    finer.loc[3, "low"] = 100.123456
    later["date"] += pd.Timedelta(days=40)

    for frame in (finer, later):
        expected = get_tick_size_over_time(frame.copy())
        pd.testing.assert_series_equal(tick_sizes(frame), expected)


def test_what_is_known_has_a_bound() -> None:
    """The oldest candles are forgotten."""
    asked: list[float] = []

    def own(frame: pd.DataFrame) -> Any:
        asked.append(frame["open"].iloc[0])
        return get_tick_size_over_time(frame)

    tick_sizes = remembered(own, max_candles=2_000)
    for seed in (1, 2, 3, 3, 2, 1):
        tick_sizes(candles(seed))

    assert len(asked) == 4
