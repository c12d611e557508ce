"""Mean reversion: distance from the volume-weighted price of a day, in deviations."""

from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class ZScore(LabStrategy):
    """Two deviations below, three deviations below, and far below the weighted price."""

    shorts = True
    stoploss = -0.12

    def indicators(self, df: DataFrame) -> None:
        """Add the weighted price of 24 candles and the z-score of 72."""
        money = (df["close"] * df["volume"]).rolling(24).sum()
        df["vwap"] = money / df["volume"].rolling(24).sum()
        mean, spread = df["close"].rolling(72).mean(), df["close"].rolling(72).std()
        df["z"] = (df["close"] - mean) / spread

    def longs(self, df: DataFrame) -> Rules:
        """Buy what is low."""
        return {
            "z3": df["z"] < -3,
            "z2": (df["z"] < -2) & (df["close"] > df["open"]),
            "vwap": df["close"] < df["vwap"] * 0.95,
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave near the mean."""
        return df["z"] > -0.25

    def sells(self, df: DataFrame) -> Rules:
        """Sell what is high."""
        return {
            "z3": df["z"] > 3,
            "z2": (df["z"] > 2) & (df["close"] < df["open"]),
            "vwap": df["close"] > df["vwap"] * 1.05,
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave near the mean."""
        return df["z"] < 0.25
