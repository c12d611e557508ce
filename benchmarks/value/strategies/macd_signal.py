"""Trend: MACD crosses its signal line (Appel 2005)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class MacdSignal(LabStrategy):
    """The usual 12, 26, 9; crosses above and below zero have names of their own."""

    shorts = True
    stoploss = -0.08

    def indicators(self, df: DataFrame) -> None:
        """Add MACD and its signal."""
        macd = ta.MACD(df, 12, 26, 9)
        df["macd"], df["signal"] = macd["macd"], macd["macdsignal"]

    def longs(self, df: DataFrame) -> Rules:
        """Buy the cross upwards."""
        cross = crosses_above(df["macd"], df["signal"])
        return {"above_zero": cross & (df["macd"] > 0), "below_zero": cross & (df["macd"] <= 0)}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at the cross downwards."""
        return crosses_below(df["macd"], df["signal"])

    def sells(self, df: DataFrame) -> Rules:
        """Sell the cross downwards."""
        cross = crosses_below(df["macd"], df["signal"])
        return {"below_zero": cross & (df["macd"] < 0), "above_zero": cross & (df["macd"] >= 0)}

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave at the cross upwards."""
        return crosses_above(df["macd"], df["signal"])
