"""Momentum: the sign of the past week's and month's return (Moskowitz, Ooi and Pedersen 2012)."""

from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules


class TimeSeriesMomentum(LabStrategy):
    """Asked once a day, at noon UTC."""

    shorts = True
    stoploss = -0.20
    startup_candle_count = 720

    def indicators(self, df: DataFrame) -> None:
        """Add the returns over 168 and 720 candles, and when to ask."""
        df["week"], df["month"] = df["close"].pct_change(168), df["close"].pct_change(720)
        df["noon"] = (df["date"].dt.hour == 11) & (df["date"].dt.minute == 0)

    def longs(self, df: DataFrame) -> Rules:
        """Buy what rose."""
        return {
            "both": df["noon"] & (df["week"] > 0) & (df["month"] > 0),
            "week": df["noon"] & (df["week"] > 0.05),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave what fell over the week."""
        return df["noon"] & (df["week"] < 0)

    def sells(self, df: DataFrame) -> Rules:
        """Sell what fell."""
        return {
            "both": df["noon"] & (df["week"] < 0) & (df["month"] < 0),
            "week": df["noon"] & (df["week"] < -0.05),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave what rose over the week."""
        return df["noon"] & (df["week"] > 0)
