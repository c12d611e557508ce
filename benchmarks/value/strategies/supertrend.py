"""Trend: the close against bands of average true range, Supertrend in its simplest form."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class Supertrend(LabStrategy):
    """An average of 24 closes with bands of 2.5 true ranges; the last band left names the trend."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add the trend, 1 or -1, and its middle."""
        middle, width = ta.SMA(df, 24), 2.5 * ta.ATR(df, 14)
        trend = Series(float("nan"), index=df.index)
        trend[df["close"] > middle + width] = 1.0
        trend[df["close"] < middle - width] = -1.0
        df["trend"], df["middle"] = trend.ffill().fillna(0.0), middle

    def longs(self, df: DataFrame) -> Rules:
        """Buy the turn, and the bounce off the middle."""
        bounce = (df["trend"] > 0) & crosses_above(df["close"], df["middle"])
        return {"flip": crosses_above(df["trend"], 0.0), "bounce": bounce}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave when the trend turns."""
        return df["trend"] < 0

    def sells(self, df: DataFrame) -> Rules:
        """Mirror the longs."""
        bounce = (df["trend"] < 0) & crosses_below(df["close"], df["middle"])
        return {"flip": crosses_below(df["trend"], 0.0), "bounce": bounce}

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave when the trend turns."""
        return df["trend"] > 0
