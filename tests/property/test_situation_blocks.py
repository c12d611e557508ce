"""Numbers computed together are those computed alone, bit for bit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.situation import MIN_CANDLES, WINDOW, Candles, calendar
from freqtrade_mem0.situation.signals import Signals
from freqtrade_mem0.situation.values import all_to_six_digits
from freqtrade_mem0.situation.windows import Columns, Windows
from tests.support.candles import TIMEFRAME_S, random_walk
from tests.support.samples import START

if TYPE_CHECKING:
    import pandas as pd

N_CANDLES = 700
PRICES = ["open", "high", "low", "close"]

spans = st.lists(st.tuples(st.integers(1, N_CANDLES), st.integers(1, 150)), max_size=3)


@st.composite
def rough_candles(draw: st.DrawFn) -> pd.DataFrame:
    """Candles with prices that stand still, volumes of zero and NaN, a jump, and signals."""
    candles = random_walk(N_CANDLES, seed=draw(st.integers(0, 1_000)))
    for first, length in draw(spans):
        candles.loc[first : first + length, PRICES] = candles["close"].iloc[first - 1]
    for value in (0.0, math.nan):
        for first, length in draw(spans):
            candles.loc[first : first + length, "volume"] = value
    wild = draw(st.integers(0, N_CANDLES))
    candles.loc[wild : wild + 20, "high"] *= 1.1
    share = draw(st.sampled_from([0.0, 0.05, 0.5, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 1_000)))
    candles["enter_long"] = (rng.random(N_CANDLES) < share).astype(int)
    candles["enter_short"] = np.where(rng.random(N_CANDLES) < share, 1.0, math.nan)
    return candles


def bits(numbers: np.ndarray) -> list[bytes]:
    """Return the bits of each row; NaN is equal to itself then."""
    return [row.tobytes() for row in numbers]


@given(rough_candles(), st.integers(MIN_CANDLES, WINDOW), st.data())
def test_a_window_is_computed_as_if_it_were_alone(
    candles: pd.DataFrame, width: int, data: st.DataObject
) -> None:
    """In any company, alone, and in data that are nothing but the window."""
    ends = np.array(data.draw(st.lists(st.integers(width, N_CANDLES), min_size=1, max_size=300)))
    windows = Windows(Columns(candles), width)
    alone, cut_out = [], []
    for end in ends[:20]:
        alone += bits(windows.numbers(np.array([end])))
        window = candles[end - width : end]
        cut_out += bits(Windows(Columns(window), width).numbers(np.array([width])))

    together = bits(windows.numbers(ends))
    assert together[:20] == alone
    assert together[:20] == cut_out


@given(rough_candles(), st.lists(st.integers(MIN_CANDLES - 2, N_CANDLES), max_size=60))
def test_signals_and_order_change_nothing(candles: pd.DataFrame, asked: list[int]) -> None:
    """What is asked of candles with signals, in any order, is what each candle alone says."""
    columns = Candles(candles)
    plain = candles.drop(columns=["enter_long", "enter_short"])
    for n_closed in asked:
        alone = Candles(plain[max(0, n_closed - WINDOW) : n_closed])
        width = min(n_closed, WINDOW)

        assert alone.times_usual_range(width) == columns.times_usual_range(n_closed)
        assert alone.features(width) == columns.features(n_closed)


@given(
    st.sets(st.integers(0, 60), min_size=1),
    st.integers(-5, 70),
    st.integers(0, TIMEFRAME_S * 1_000 - 1),
)
def test_closed_candles_are_counted_over_gaps(
    kept: set[int], position: int, offset_ms: int
) -> None:
    """Whichever candles are missing, and at any moment inside a candle."""
    candles = random_walk(61).iloc[sorted(kept)]
    moment_ms = to_ms(START) + position * TIMEFRAME_S * 1_000 + offset_ms

    expected = sum(number + 1 <= position for number in kept)
    assert Candles(candles).n_closed(moment_ms, TIMEFRAME_S) == expected


@given(st.floats(-1e20, 1e20))
def test_six_digits_are_those_of_the_format(value: float) -> None:
    """The nearest number of six digits, but for values half-way between two."""
    assume(value == 0.0 or abs(value) > 1e-15)
    digits = f"{abs(value):.14e}"
    assume(digits[7:12] not in ("49999", "50000"))

    assert all_to_six_digits(np.array([value])).tolist() == [float(f"{value:.6g}")]


@given(rough_candles(), st.lists(st.integers(0, N_CANDLES), max_size=20), st.data())
def test_a_signal_shows_the_movement_of_its_whole_situation(
    candles: pd.DataFrame, others: list[int], data: st.DataObject
) -> None:
    """At signals, at other candles, and between the opening of two candles."""
    whole, signals = Candles(candles), Signals(Candles(candles), TIMEFRAME_S)
    signalled = np.flatnonzero(candles["enter_long"] == 1) + 1
    for n_closed in (*signalled[:50].tolist(), *others):
        within_ms = data.draw(st.sampled_from([0, 0, 60_000]))
        moment_ms = to_ms(START) + n_closed * TIMEFRAME_S * 1_000 + within_ms
        features = whole.features(n_closed)
        assert signals.movement(moment_ms) == (features.get("volatility"), features.get("momentum"))
        assert signals.at(moment_ms) == (
            features | calendar(moment_ms),
            whole.times_usual_range(n_closed),
        )
