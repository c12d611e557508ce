"""Trend: the parabolic stop-and-reverse (Wilder 1978)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class ParabolicSar(LabStrategy):
    """Acceleration 0.01 up to 0.1; with and against a slow average by other names."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add the stop and a slow average."""
        df["sar"], df["slow"] = ta.SAR(df, 0.01, 0.1), ta.EMA(df, 100)

    def longs(self, df: DataFrame) -> Rules:
        """Buy the reversal upwards."""
        up = crosses_above(df["close"], df["sar"])
        return {"with_trend": up & (df["close"] > df["slow"]), "against": up}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at the reversal downwards."""
        return crosses_below(df["close"], df["sar"])

    def sells(self, df: DataFrame) -> Rules:
        """Sell the reversal downwards."""
        down = crosses_below(df["close"], df["sar"])
        return {"with_trend": down & (df["close"] < df["slow"]), "against": down}

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave at the reversal upwards."""
        return crosses_above(df["close"], df["sar"])
