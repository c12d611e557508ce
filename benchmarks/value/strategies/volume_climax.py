"""Volume: climaxes fade, quiet accumulation goes on (Granville 1963)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class VolumeClimax(LabStrategy):
    """Selling climaxes and rising on-balance volume."""

    stoploss = -0.08
    minimal_roi = {"0": 0.05, "720": 0.02, "2880": -1.0}  # noqa: RUF012 - as Freqtrade writes it

    def indicators(self, df: DataFrame) -> None:
        """Add volume against its usual size, on-balance volume and its average."""
        df["surge"] = df["volume"] / df["volume"].rolling(96).mean()
        df["obv"] = ta.OBV(df)
        df["obv_mean"] = df["obv"].rolling(96).mean()
        df["low_72"], df["high_72"] = df["low"].rolling(72).min(), df["high"].rolling(72).max()

    def longs(self, df: DataFrame) -> Rules:
        """Buy the climax at the low, and accumulation in the middle of the range."""
        place = (df["close"] - df["low_72"]) / (df["high_72"] - df["low_72"])
        return {
            "climax": (df["surge"] > 4) & (place < 0.25),
            "accumulation": (df["obv"] > df["obv_mean"])
            & (df["obv"].shift(1) <= df["obv_mean"].shift(1))
            & place.between(0.3, 0.7),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at a climax near the high."""
        place = (df["close"] - df["low_72"]) / (df["high_72"] - df["low_72"])
        return (df["surge"] > 4) & (place > 0.8)
