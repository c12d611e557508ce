"""Mean reversion: the rebound after a crash (De Bondt and Thaler 1985, on another clock)."""

from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class PanicRebound(LabStrategy):
    """Falls of 8 % in a day or 15 % in three; out after two days or 6 %."""

    stoploss = -0.12
    minimal_roi = {"0": 0.06, "2880": -1.0}  # noqa: RUF012 - as Freqtrade's own examples write it

    def indicators(self, df: DataFrame) -> None:
        """Add the returns over 24 and 72 candles."""
        df["day"], df["three"] = df["close"].pct_change(24), df["close"].pct_change(72)

    def longs(self, df: DataFrame) -> Rules:
        """Buy after a crash, once a candle closes up."""
        up = df["close"] > df["open"]
        return {"crash_72": up & (df["three"] < -0.15), "crash_24": up & (df["day"] < -0.08)}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave when the day is made good."""
        return df["day"] > 0.05
