"""An example to copy: two simple entries, and a memory that decides how much to bet on each.

Memory changes the size of a stake, never whether or when to trade. Everything about it stands in
the `"mem0"` block of the config; the strategy only names the mixin. Freqtrade runs it as it is:

    freqtrade backtesting --strategy Mem0Example --config config.json

It is made to show memory at work, not to earn money: simple entries like these lose in some
markets and win in others, which is what there is to remember.
"""

from typing import ClassVar

import talib.abstract as ta
from freqtrade.strategy import IStrategy
from pandas import DataFrame

from freqtrade_mem0.mixin import Mem0Mixin


class Mem0Example(Mem0Mixin, IStrategy):
    """Buy dips below a band and breakouts above a range; spot, any timeframe from 5m to 1h."""

    INTERFACE_VERSION = 3
    timeframe = "15m"  # "timeframe" in the config overrides it
    can_short = False
    process_only_new_candles = True
    startup_candle_count = 150

    overheated_rsi = 78
    # Exits come from signals; these are the net below: after 12 hours, take what is there.
    stoploss = -0.06
    minimal_roi: ClassVar = {"0": 0.06, "720": 0.0}

    def populate_indicators(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Add a band around a moving average, a range and a momentum."""
        band = ta.BBANDS(dataframe, timeperiod=40, nbdevup=2.2, nbdevdn=2.2)
        dataframe["band_low"] = band["lowerband"]
        dataframe["band_middle"] = band["middleband"]
        # Shifted: the range of the candles before this one, which this one can break.
        dataframe["range_high"] = dataframe["high"].rolling(144).max().shift(1)
        dataframe["rsi"] = ta.RSI(dataframe, timeperiod=14)
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Name each entry: the tag is one of the things memory keeps apart."""
        dip = (dataframe["close"] < dataframe["band_low"]) & (dataframe["volume"] > 0)
        breakout = (dataframe["close"] > dataframe["range_high"]) & (dataframe["volume"] > 0)
        dataframe.loc[dip, ["enter_long", "enter_tag"]] = (1, "dip")
        dataframe.loc[breakout, ["enter_long", "enter_tag"]] = (1, "breakout")
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        """Leave when the price comes back to its mean from above or has run far."""
        was_above = dataframe["close"].shift(1) > dataframe["band_middle"].shift(1)
        back = was_above & (dataframe["close"] < dataframe["band_middle"])
        dataframe.loc[back, ["exit_long", "exit_tag"]] = (1, "back_to_mean")
        dataframe.loc[dataframe["rsi"] > self.overheated_rsi, ["exit_long", "exit_tag"]] = (
            1,
            "overheated",
        )
        return dataframe
