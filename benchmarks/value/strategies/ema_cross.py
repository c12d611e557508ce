"""Trend: a fast average crosses a slow one, or prices come back to it (Appel; Kaufman 2013)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class EmaCross(LabStrategy):
    """Averages of 12 and 48 candles."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add both averages."""
        df["fast"], df["slow"] = ta.EMA(df, 12), ta.EMA(df, 48)

    def longs(self, df: DataFrame) -> Rules:
        """Buy the cross, and the way back to the fast average in a trend."""
        return {
            "cross": crosses_above(df["fast"], df["slow"]),
            "pullback": (df["fast"] > df["slow"] * 1.01) & crosses_above(df["close"], df["fast"]),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at the opposite cross."""
        return crosses_below(df["fast"], df["slow"])

    def sells(self, df: DataFrame) -> Rules:
        """Mirror the longs."""
        return {
            "cross": crosses_below(df["fast"], df["slow"]),
            "pullback": (df["fast"] < df["slow"] * 0.99) & crosses_below(df["close"], df["fast"]),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave at the opposite cross."""
        return crosses_above(df["fast"], df["slow"])
