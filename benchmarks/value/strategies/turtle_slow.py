"""Trend: the slow Turtle system, with wide exits and few trades (Faith 2007)."""

from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class TurtleSlow(LabStrategy):
    """Enter beyond the range of 240 candles, leave beyond that of 72 the other way."""

    shorts = True
    stoploss = -0.20

    def indicators(self, df: DataFrame) -> None:
        """Add the ranges of the candles before each, and the volume's usual size."""
        for length in (72, 240):
            df[f"high_{length}"] = df["high"].rolling(length).max().shift(1)
            df[f"low_{length}"] = df["low"].rolling(length).min().shift(1)
        df["usual_volume"] = df["volume"].rolling(48).mean()

    def longs(self, df: DataFrame) -> Rules:
        """Buy new highs; on high volume by another name."""
        breaks = df["close"] > df["high_240"]
        return {"with_volume": breaks & (df["volume"] > 2 * df["usual_volume"]), "plain": breaks}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave at a new low of 72."""
        return df["close"] < df["low_72"]

    def sells(self, df: DataFrame) -> Rules:
        """Sell new lows."""
        breaks = df["close"] < df["low_240"]
        return {"with_volume": breaks & (df["volume"] > 2 * df["usual_volume"]), "plain": breaks}

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave at a new high of 72."""
        return df["close"] > df["high_72"]
