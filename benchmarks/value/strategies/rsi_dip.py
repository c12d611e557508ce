"""Mean reversion: short-term RSI dips (Connors and Alvarez 2009; Wilder 1978)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above


class RsiDip(LabStrategy):
    """RSI of 2 in an uptrend, RSI of 14 anywhere."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add both RSI, and averages."""
        df["rsi2"], df["rsi14"] = ta.RSI(df, 2), ta.RSI(df, 14)
        df["slow"], df["fast"] = ta.SMA(df, 200), ta.SMA(df, 5)

    def longs(self, df: DataFrame) -> Rules:
        """Buy dips."""
        return {
            "rsi14": crosses_above(df["rsi14"], 30.0),
            "rsi2": (df["rsi2"] < 5) & (df["close"] > df["slow"]),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave into strength."""
        return (df["close"] > df["fast"]) & (df["rsi2"] > 70)

    def sells(self, df: DataFrame) -> Rules:
        """Sell rallies."""
        return {
            "rsi14": crosses_above(-df["rsi14"], -70.0),
            "rsi2": (df["rsi2"] > 95) & (df["close"] < df["slow"]),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave into weakness."""
        return (df["close"] < df["fast"]) & (df["rsi2"] < 30)
