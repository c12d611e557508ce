"""Indicators depend on the closed window alone, bit for bit: a bot and a backtest agree."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.situation import MIN_CANDLES, WINDOW, Candles
from freqtrade_mem0.situation.indicators import indicator
from tests.support.candles import random_walk

CANDLES = random_walk(600, seed=12)
NAMES = ["ADX(14)", "RSI(14)", "EMA(100)", "MACD(12,26,9).macdhist", "OBV", "HT_TRENDMODE", "SAR"]
INDICATORS = [indicator(name) for name in NAMES]


@settings(max_examples=60)
@given(st.lists(st.integers(MIN_CANDLES, 600), min_size=1, max_size=8), st.floats(0.5, 2.0))
def test_a_window_alone_says_what_all_candles_say(asked: list[int], factor: float) -> None:
    """In any order, with other candles before and after the window."""
    all_candles = Candles(CANDLES, INDICATORS)
    for n_closed in asked:
        first = max(0, n_closed - WINDOW)
        changed = CANDLES.copy()
        numbers = ["open", "high", "low", "close", "volume"]
        changed.loc[: first - 1, numbers] *= factor
        changed.loc[n_closed:, numbers] *= factor
        alone = Candles(CANDLES[first:n_closed], INDICATORS).features(n_closed - first)

        assert all_candles.features(n_closed) == alone
        assert Candles(changed, INDICATORS).features(n_closed) == alone
        assert set(NAMES) <= set(alone)
