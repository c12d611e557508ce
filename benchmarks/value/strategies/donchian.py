"""Trend: break-outs of past highs and lows, the Turtle rules (Donchian; Faith 2007)."""

from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class Donchian(LabStrategy):
    """Enter beyond the range of 20 or 55 candles, leave beyond that of 10 the other way."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add the ranges of the candles before each."""
        for length in (10, 20, 55):
            df[f"high_{length}"] = df["high"].rolling(length).max().shift(1)
            df[f"low_{length}"] = df["low"].rolling(length).min().shift(1)

    def longs(self, df: DataFrame) -> Rules:
        """Buy new highs."""
        return {"55": df["close"] > df["high_55"], "20": df["close"] > df["high_20"]}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at a new low of 10."""
        return df["close"] < df["low_10"]

    def sells(self, df: DataFrame) -> Rules:
        """Sell new lows."""
        return {"55": df["close"] < df["low_55"], "20": df["close"] < df["low_20"]}

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave at a new high of 10."""
        return df["close"] > df["high_10"]
