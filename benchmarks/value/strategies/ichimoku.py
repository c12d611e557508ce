"""Trend: the cloud of Ichimoku Kinko Hyo (Hosoda 1969)."""

from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class Ichimoku(LabStrategy):
    """The usual 9, 26, 52; the cloud drawn from the past only."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add both lines and the cloud."""

        def middle(length: int) -> "Series[float]":
            return (df["high"].rolling(length).max() + df["low"].rolling(length).min()) / 2

        df["turn"], df["base"] = middle(9), middle(26)
        first, second = ((df["turn"] + df["base"]) / 2).shift(26), middle(52).shift(26)
        df["top"], df["bottom"] = first.combine(second, max), first.combine(second, min)

    def longs(self, df: DataFrame) -> Rules:
        """Buy out of the cloud upwards, or the lines' cross above it."""
        return {
            "cloud": crosses_above(df["close"], df["top"]) & (df["turn"] > df["base"]),
            "lines": crosses_above(df["turn"], df["base"]) & (df["close"] > df["top"]),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave below the base line."""
        return df["close"] < df["base"]

    def sells(self, df: DataFrame) -> Rules:
        """Mirror the longs."""
        return {
            "cloud": crosses_below(df["close"], df["bottom"]) & (df["turn"] < df["base"]),
            "lines": crosses_below(df["turn"], df["base"]) & (df["close"] < df["bottom"]),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave above the base line."""
        return df["close"] > df["base"]
