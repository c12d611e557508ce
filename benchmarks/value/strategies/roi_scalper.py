"""Mean reversion the way many bots do it: oversold indicators, a falling table of targets."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class RoiScalper(LabStrategy):
    """Four kinds of oversold; targets of 4 % at once down to nothing after a day."""

    stoploss = -0.15
    minimal_roi = {"0": 0.04, "120": 0.02, "480": 0.01, "1440": 0.0}  # noqa: RUF012 - as above

    def indicators(self, df: DataFrame) -> None:
        """Add the usual oscillators."""
        df["rsi"], df["mfi"], df["cci"] = ta.RSI(df, 14), ta.MFI(df, 14), ta.CCI(df, 20)
        df["stoch"] = ta.STOCHF(df, 14, 3)["fastd"]
        df["slow"] = ta.EMA(df, 100)

    def longs(self, df: DataFrame) -> Rules:
        """Buy what looks oversold."""
        return {
            "rsi": df["rsi"] < 25,
            "mfi": (df["mfi"] < 15) & (df["rsi"] < 40),
            "cci": (df["cci"] < -200) & (df["close"] > df["slow"]),
            "stoch": (df["stoch"] < 8) & (df["close"] < df["slow"] * 0.96),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave when overbought."""
        return (df["rsi"] > 75) | (df["mfi"] > 90)
