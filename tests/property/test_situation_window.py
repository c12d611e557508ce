"""Features depend on the last closed candles alone, bit for bit, whatever surrounds them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.situation import WINDOW, Candles, Situation
from tests.support.candles import TIMEFRAME_S, market_features, random_walk
from tests.support.samples import START

if TYPE_CHECKING:
    import pandas as pd

CANDLES = random_walk(600, seed=11)
NUMBERS = ["open", "high", "low", "close", "volume"]


def features_at(candles: pd.DataFrame, position: int) -> Situation:
    """Return the features at the opening of the candle at a position of `CANDLES`."""
    moment = START + timedelta(seconds=position * TIMEFRAME_S)
    columns = Candles(candles)
    return columns.features(columns.n_closed(to_ms(moment), TIMEFRAME_S))


positions = st.integers(WINDOW, 599)


@settings(max_examples=60)
@given(positions, st.floats(0.01, 100.0))
def test_nothing_at_or_after_the_entry_matters(position: int, factor: float) -> None:
    """Any change of the candles that open at the entry or later leaves every bit as it is."""
    changed = CANDLES.copy()
    changed.loc[position:, NUMBERS] *= factor

    expected = features_at(CANDLES, position)
    assert expected == features_at(changed, position)
    assert expected == features_at(CANDLES[:position], position)
    assert len(expected) == 10


@settings(max_examples=60)
@given(positions, st.integers(0, 360))
def test_where_the_data_begin_does_not_matter(position: int, cut: int) -> None:
    """A bot that started yesterday sees what a backtest over years sees."""
    first = min(cut, position - WINDOW)

    assert features_at(CANDLES, position) == features_at(CANDLES[first:], position)


@settings(max_examples=30)
@given(positions, st.floats(0.01, 100.0))
def test_what_is_older_than_the_window_does_not_matter(position: int, factor: float) -> None:
    """Any change before the window leaves every bit as it is."""
    changed = CANDLES.copy()
    changed.loc[: position - WINDOW - 1, NUMBERS] *= factor

    assert features_at(CANDLES, position) == features_at(changed, position)


@settings(max_examples=60)
@given(positions)
def test_columns_say_what_a_window_alone_says(position: int) -> None:
    """What is computed once for a whole pair is what a bot computes from its last candles."""
    assert market_features(CANDLES[position - WINDOW : position]) == features_at(CANDLES, position)
