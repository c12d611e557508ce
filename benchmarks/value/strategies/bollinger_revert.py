"""Mean reversion: closes beyond Bollinger's bands (Bollinger 2001)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class BollingerRevert(LabStrategy):
    """Bands of 20 candles and 2 deviations; what comes back into them differs from what left."""

    shorts = True
    stoploss = -0.06

    def indicators(self, df: DataFrame) -> None:
        """Add the bands."""
        bands = ta.BBANDS(df, timeperiod=20, nbdevup=2.0, nbdevdn=2.0)
        df["low_band"], df["middle"] = bands["lowerband"], bands["middleband"]
        df["high_band"] = bands["upperband"]

    def longs(self, df: DataFrame) -> Rules:
        """Buy below the band, or the way back into it."""
        return {
            "outside": df["close"] < df["low_band"] * 0.99,
            "back_inside": crosses_above(df["close"], df["low_band"]),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at the middle."""
        return df["close"] > df["middle"]

    def sells(self, df: DataFrame) -> Rules:
        """Mirror the longs."""
        return {
            "outside": df["close"] > df["high_band"] * 1.01,
            "back_inside": crosses_below(df["close"], df["high_band"]),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave at the middle."""
        return df["close"] < df["middle"]
