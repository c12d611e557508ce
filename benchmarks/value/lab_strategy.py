"""The frame of the lab's textbook strategies: rules as columns, tags by name, no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from freqtrade.strategy import IStrategy

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Rules = dict[str, "Series[bool]"]
"""Conditions by enter tag; where several hold, the first one names the trade."""


class LabStrategy(IStrategy):  # type: ignore[misc]
    """Long on spot; long and, where `shorts` is set, short on futures. One fixed stake per trade.

    A subclass states its rules: `indicators`, `longs`, `exit_longs`, and their mirror images.
    """

    INTERFACE_VERSION = 3
    timeframe = "1h"
    shorts = False
    process_only_new_candles = True
    startup_candle_count = 240
    stoploss = -0.10
    minimal_roi: ClassVar[dict[str, float]] = {"0": 10.0}
    use_exit_signal = True

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self.can_short = self.shorts and config.get("trading_mode") == "futures"

    def indicators(self, df: DataFrame) -> None:
        """Add the columns the rules need."""

    def longs(self, df: DataFrame) -> Rules:
        """Return when to buy."""
        raise NotImplementedError

    def exit_longs(self, df: DataFrame) -> Series[bool]:
        """Return when to sell what was bought."""
        raise NotImplementedError

    def sells(self, df: DataFrame) -> Rules:
        """Return when to go short."""
        del df
        return {}

    def exit_sells(self, df: DataFrame) -> Series[bool]:
        """Return when to leave a short."""
        return df["close"] < 0

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Add indicators (Freqtrade's callback)."""
        del metadata
        self.indicators(dataframe)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Mark entries (Freqtrade's callback)."""
        del metadata
        sides = [("enter_long", self.longs(dataframe))]
        if self.can_short:
            sides.append(("enter_short", self.sells(dataframe)))
        for column, rules in sides:
            for tag in reversed(rules):  # the first rule is written last and so prevails
                holds = rules[tag] & (dataframe["volume"] > 0)
                dataframe.loc[holds, [column, "enter_tag"]] = (1, tag)
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Mark exits (Freqtrade's callback)."""
        del metadata
        dataframe.loc[self.exit_longs(dataframe), "exit_long"] = 1
        if self.can_short:
            dataframe.loc[self.exit_sells(dataframe), "exit_short"] = 1
        return dataframe


def crosses_above(left: Series[float], right: Series[float] | float) -> Series[bool]:
    """Return where `left` is above `right` and was not one candle before."""
    before = right if isinstance(right, float) else right.shift(1)
    return (left > right) & (left.shift(1) <= before)


def crosses_below(left: Series[float], right: Series[float] | float) -> Series[bool]:
    """Return where `left` is below `right` and was not one candle before."""
    before = right if isinstance(right, float) else right.shift(1)
    return (left < right) & (left.shift(1) >= before)
