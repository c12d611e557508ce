"""Indicators of TA-Lib: what may be named, what each mistake is told, and what is computed."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib.abstract

from freqtrade_mem0.situation import WINDOW, Candles
from freqtrade_mem0.situation.indicators import MIN_VALUES, IndicatorColumns, indicator
from tests.support.candles import random_walk

COLUMNS = ["open", "high", "low", "close", "volume"]
CANDLES = random_walk(400, seed=5)


@pytest.mark.parametrize("name", sorted(set(talib.get_functions()) - {"MAVP"}))
def test_each_output_of_each_function_can_be_named(name: str) -> None:
    """With TA-Lib's default arguments."""
    for output in talib.abstract.Function(name).output_names:
        named = indicator(f"{name}.{output}")

        assert IndicatorColumns(CANDLES, [named]).series(400).keys() == {f"{name}.{output}"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("adx(14)", "no function adx; ADX is near"),
        ("ZZZ", "no function ZZZ; ta-lib.org lists them all"),
        ("ADX( 14 )", "without blanks"),
        ("ADX(14", 'write it like "ADX(14)"'),
        ("ADX(1)", "refuses these arguments"),
        ("ADX(14,3)", "ADX takes timeperiod (default 14), not 2 numbers"),
        ("ADX(x)", "'x' is no number"),
        ("ADX(1.5)", "'1.5' is no number"),
        ("OBV(3)", "OBV takes no numbers, not 1 numbers"),
        ("MACD(12,26,9)", "outputs macd, macdsignal, macdhist"),
        ("MACD.hist", 'for example "MACD.macdhist"'),
        ("MAVP", "needs an input that candles do not have"),
        ("SMA(230)", "it looks back over 229 candles"),
    ],
)
def test_what_can_not_be_computed_is_refused(text: str, said: str) -> None:
    """The sentence says which rule is broken."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is looked at
        indicator(text)

    assert said in str(error.value)


def test_the_longest_look_back_leaves_enough_values_for_a_bucket() -> None:
    """One candle more is refused."""
    longest = WINDOW - MIN_VALUES + 1
    named = indicator(f"SMA({longest})")

    found = IndicatorColumns(CANDLES, [named]).values(400)
    assert set(found) == {named.name, f"{named.name}_bucket"}
    with pytest.raises(ValueError, match="looks back"):
        indicator(f"SMA({longest + 1})")


def test_values_are_those_of_talib_over_the_window() -> None:
    """Bit for bit before rounding, whatever came before the window."""
    window = CANDLES[160:400]
    high, low, close = (window[name].to_numpy() for name in ("high", "low", "close"))
    histogram = talib.MACD(close, 12, 26, 9)[2]
    names = ["ADX(14)", "MACD(12,26,9).macdhist", "EMA(50)"]

    found = IndicatorColumns(CANDLES, [indicator(name) for name in names]).values(400)

    assert found["ADX(14)"] == float(f"{talib.ADX(high, low, close, 14)[-1]:.6g}")
    assert found["MACD(12,26,9).macdhist"] == float(f"{histogram[-1]:.6g}")
    assert found["EMA(50)"] == float(f"{talib.EMA(close, 50)[-1]:.6g}")


@pytest.mark.parametrize(("slope", "bucket"), [(1.0, "high"), (-1.0, "low"), (0.0, "middle")])
def test_a_bucket_is_a_third_of_the_window(slope: float, bucket: str) -> None:
    """The last of rising values is high, of falling ones low; equal values are in the middle."""
    candles = CANDLES.copy()
    candles["close"] = 500.0 + slope * np.arange(len(candles))

    found = IndicatorColumns(candles, [indicator("SMA(5)")]).values(400)

    assert found["SMA(5)_bucket"] == bucket


def test_a_pattern_that_hardly_ever_occurs_is_in_the_middle_without_it() -> None:
    """Whole numbers with many ties are told apart, too."""
    named = indicator("CDLDOJI")
    columns = IndicatorColumns(CANDLES, [named])
    buckets = {
        columns.values(n)["CDLDOJI"]: columns.values(n)["CDLDOJI_bucket"]
        for n in range(WINDOW, 400)
    }

    assert buckets[0.0] == "middle"
    assert buckets[100.0] == "high"


def test_candles_without_a_number_leave_the_indicator_out() -> None:
    """The others are there."""
    candles = CANDLES.copy()
    candles["volume"] = math.nan

    found = Candles(candles, [indicator("MFI(14)"), indicator("ADX(14)")]).features(400)

    assert "MFI(14)" not in found
    assert {"ADX(14)", "ADX(14)_bucket", "regime"} <= set(found)


def test_with_too_few_values_there_is_no_bucket() -> None:
    """Where the data start late; the value is there as soon as it can be computed."""
    named = [indicator("SMA(100)"), indicator("SMA(130)")]

    found = Candles(CANDLES, named).features(130)

    assert "SMA(100)" in found
    assert "SMA(100)_bucket" not in found
    assert "SMA(130)" in found


def test_with_too_few_candles_there_is_nothing() -> None:
    """As for the other features."""
    assert Candles(CANDLES, [indicator("ADX(14)")]).features(119) == {}
    assert Candles(CANDLES[:50], [indicator("ADX(14)")]).features(50) == {}


def test_authors_get_the_indicators_as_columns_of_their_own_copy() -> None:
    """The columns have TA-Lib's names, and the last one is the value in the situation."""
    candles = Candles(CANDLES, [indicator("ADX(14)"), indicator("CDLDOJI")])

    window = candles.with_indicators(390)

    assert len(window) == WINDOW
    assert window["ADX(14)"].iloc[-1] == pytest.approx(candles.features(390)["ADX(14)"], rel=1e-5)
    assert window["ADX(14)"].isna().sum() == indicator("ADX(14)").lookback
    assert set(CANDLES.columns) == set(window.columns) - {"ADX(14)", "CDLDOJI"}


def test_arguments_do_not_change_what_a_strategy_gets_from_talib() -> None:
    """`abstract.ADX` is an object of the whole process."""
    indicator("ADX(5)")

    assert dict(talib.abstract.ADX.parameters) == {"timeperiod": 14}
