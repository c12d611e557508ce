"""Trend: directional movement, taken where it is strong (Wilder 1978)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class AdxTrend(LabStrategy):
    """ADX of 14 above 25."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add ADX and both directional indicators."""
        df["adx"], df["up"], df["down"] = ta.ADX(df), ta.PLUS_DI(df), ta.MINUS_DI(df)

    def longs(self, df: DataFrame) -> Rules:
        """Buy upward movement that is, or becomes, strong."""
        return {
            "di_cross": crosses_above(df["up"], df["down"]) & (df["adx"] > 20),
            "strength": crosses_above(df["adx"], 25.0) & (df["up"] > df["down"]),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave when downward movement prevails or strength is gone."""
        return (df["up"] < df["down"]) | (df["adx"] < 15)

    def sells(self, df: DataFrame) -> Rules:
        """Mirror the longs."""
        return {
            "di_cross": crosses_below(df["up"], df["down"]) & (df["adx"] > 20),
            "strength": crosses_above(df["adx"], 25.0) & (df["up"] < df["down"]),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Mirror the longs' exit."""
        return (df["up"] > df["down"]) | (df["adx"] < 15)
