"""Break-out: the range of the first hours of the UTC day (Crabel 1990)."""

from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class OpeningRange(LabStrategy):
    """The range of the first four hours; out at the day's end."""

    shorts = True
    stoploss = -0.05

    def indicators(self, df: DataFrame) -> None:
        """Add the day's opening range and the width it had the day before."""
        day, early = df["date"].dt.floor("D"), df["date"].dt.hour < 4
        highs, lows = df["high"].where(early), df["low"].where(early)
        df["range_high"] = highs.groupby(day).transform("max").where(~early)
        df["range_low"] = lows.groupby(day).transform("min").where(~early)
        width = (df["range_high"] - df["range_low"]) / df["close"]
        df["narrow"] = width < width.rolling(240, min_periods=24).median()

    def longs(self, df: DataFrame) -> Rules:
        """Buy above the range until the evening."""
        up = crosses_above(df["close"], df["range_high"]) & (df["date"].dt.hour < 18)
        return {"narrow": up & df["narrow"], "wide": up & ~df["narrow"]}

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave in the last hour."""
        evening: Series[bool] = df["date"].dt.hour == 23
        return evening

    def sells(self, df: DataFrame) -> Rules:
        """Sell below the range until the evening."""
        down = crosses_below(df["close"], df["range_low"]) & (df["date"].dt.hour < 18)
        return {"narrow": down & df["narrow"], "wide": down & ~df["narrow"]}

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave in the last hour."""
        evening: Series[bool] = df["date"].dt.hour == 23
        return evening
