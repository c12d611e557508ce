"""The situation a trade is entered in: a few market features of candles closed before the entry.

Every feature is a function of the last `WINDOW` closed candles (at least `MIN_CANDLES`, where the
data start later). So a backtest, a dry-run bot and a live bot with the same candles compute the
same numbers, without look-ahead.
"""

from freqtrade_mem0.situation.candles import Candles
from freqtrade_mem0.situation.indicators import BUCKET, Indicator, indicators_of
from freqtrade_mem0.situation.values import Situation, clean
from freqtrade_mem0.situation.windows import FEATURES, MIN_CANDLES, WINDOW
from freqtrade_mem0.situation.words import calendar

__all__ = [
    "BUCKET",
    "FEATURES",
    "MIN_CANDLES",
    "WINDOW",
    "Candles",
    "Indicator",
    "Situation",
    "calendar",
    "clean",
    "indicators_of",
]
