"""Volatility: a candle that moves more than its kind (Williams 1999)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class AtrThrust(LabStrategy):
    """A body of 1.5 or 2.5 average true ranges; out after a day by return table or stop."""

    shorts = True
    stoploss = -0.06
    minimal_roi = {"0": 0.08, "1440": -1.0}  # noqa: RUF012 - as Freqtrade's own examples write it

    def indicators(self, df: DataFrame) -> None:
        """Add the body in units of the range before it."""
        df["body"] = (df["close"] - df["open"]) / ta.ATR(df, 24).shift(1)

    def longs(self, df: DataFrame) -> Rules:
        """Buy the thrust upwards."""
        return {"strong": df["body"] > 2.5, "plain": df["body"] > 1.5}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at a thrust downwards."""
        return df["body"] < -1.5

    def sells(self, df: DataFrame) -> Rules:
        """Sell the thrust downwards."""
        return {"strong": df["body"] < -2.5, "plain": df["body"] < -1.5}

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave at a thrust upwards."""
        return df["body"] > 1.5
