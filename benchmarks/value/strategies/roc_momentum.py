"""Momentum: rates of change (Pring 1991)."""

import talib.abstract as ta
from pandas import DataFrame, Series

from benchmarks.value.lab_strategy import LabStrategy, Rules, crosses_above, crosses_below


class RocMomentum(LabStrategy):
    """A fast and a slow rate of change; out when the fast one turns."""

    shorts = True

    def indicators(self, df: DataFrame) -> None:
        """Add the rates over 12 and 72 candles, in percent."""
        df["fast"], df["slow"] = ta.ROC(df, 12), ta.ROC(df, 72)

    def longs(self, df: DataFrame) -> Rules:
        """Buy strength."""
        return {
            "fast": crosses_above(df["fast"], 3.0),
            "slow": crosses_above(df["slow"], 6.0),
        }

    def exit_longs(self, df: DataFrame) -> "Series[bool]":
        """Leave when momentum is gone."""
        return df["fast"] < -1

    def sells(self, df: DataFrame) -> Rules:
        """Sell weakness."""
        return {
            "fast": crosses_below(df["fast"], -3.0),
            "slow": crosses_below(df["slow"], -6.0),
        }

    def exit_sells(self, df: DataFrame) -> "Series[bool]":
        """Leave when momentum is gone."""
        return df["fast"] > 1
