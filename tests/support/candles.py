"""Candles to test with: a seeded random walk, as Freqtrade's dataframes have it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from freqtrade_mem0.situation import Candles, Situation
from tests.support.samples import START

TIMEFRAME_S = 300


def random_walk(n: int = 400, seed: int = 1, price: float = 100.0) -> pd.DataFrame:
    """Return `n` candles of five minutes from `START` on."""
    rng = np.random.default_rng(seed)
    close = price * np.exp(np.cumsum(rng.normal(0.0, 0.004, n)))
    opened = np.concatenate([[price], close[:-1]])
    high = np.maximum(opened, close) * (1.0 + rng.uniform(0.0, 0.003, n))
    low = np.minimum(opened, close) * (1.0 - rng.uniform(0.0, 0.003, n))
    return pd.DataFrame(
        {
            "date": pd.date_range(START, periods=n, freq=f"{TIMEFRAME_S}s"),
            "open": opened,
            "high": high,
            "low": low,
            "close": close,
            "volume": rng.uniform(1.0, 100.0, n),
        }
    )


def market_features(frame: pd.DataFrame) -> Situation:
    """Return the features of all candles of a dataframe, each taken as closed."""
    return Candles(frame).features(len(frame))
