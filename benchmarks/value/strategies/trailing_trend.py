"""Trend with a trailing stop: let profits run until they give back some."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above


class TrailingTrend(LabStrategy):
    """Buy strength above a slow average, trail by 4 % once 6 % are made."""

    stoploss = -0.08
    trailing_stop = True
    trailing_stop_positive = 0.04
    trailing_stop_positive_offset = 0.06
    trailing_only_offset_is_reached = True

    def indicators(self, df: DataFrame) -> None:
        """Add averages, RSI and the volume's usual size."""
        df["slow"], df["rsi"] = ta.EMA(df, 168), ta.RSI(df, 14)
        df["usual_volume"] = df["volume"].rolling(24).mean()

    def longs(self, df: DataFrame) -> Rules:
        """Buy strength, or a surge of volume."""
        above = df["close"] > df["slow"]
        return {
            "rsi": above & crosses_above(df["rsi"], 60.0),
            "volume": above & (df["volume"] > 3 * df["usual_volume"]) & (df["close"] > df["open"]),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave clearly below the average."""
        return df["close"] < df["slow"] * 0.97
