"""Break-out: Bollinger's bands leave Keltner's channel after a squeeze (Carter 2005)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class KeltnerSqueeze(LabStrategy):
    """Bands of 20 candles: 2 deviations against 1.5 true ranges."""

    shorts = True
    stoploss = -0.08

    def indicators(self, df: DataFrame) -> None:
        """Add channel, squeeze and momentum."""
        middle, atr = ta.EMA(df, 20), ta.ATR(df, 20)
        squeezed = 2 * df["close"].rolling(20).std() < 1.5 * atr
        df["middle"], df["up"], df["down"] = middle, middle + 2 * atr, middle - 2 * atr
        df["released"] = squeezed.shift(1, fill_value=False) & ~squeezed
        df["mom"] = df["close"] - df["close"].shift(12)

    def longs(self, df: DataFrame) -> Rules:
        """Buy the release upwards, and closes above the channel."""
        return {
            "squeeze": df["released"] & (df["mom"] > 0),
            "channel": crosses_above(df["close"], df["up"]),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave below the middle."""
        return df["close"] < df["middle"]

    def sells(self, df: DataFrame) -> Rules:
        """Mirror the longs."""
        return {
            "squeeze": df["released"] & (df["mom"] < 0),
            "channel": crosses_below(df["close"], df["down"]),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave above the middle."""
        return df["close"] > df["middle"]
