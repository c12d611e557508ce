"""Situations of every candle, computed once per pair by the package's own function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.value.datasets import pairs_in, spot_candles
from freqtrade_mem0.situation import MIN_CANDLES, Candles
from freqtrade_mem0.situation.windows import FEATURES

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = FEATURES
NAMES = ("volatility_regime", "trend_regime", "regime")


def situations(candles: pd.DataFrame, timeframe_s: int) -> pd.DataFrame:
    """Return the situation of a trade entered at the open of each candle.

    Parameters
    ----------
    candles
        Of one pair, shape (n, columns), without gaps.
    timeframe_s
        Length of a candle, in seconds.

    Returns
    -------
    pandas.DataFrame
        `open_date` (the moment of entry: the close of the last candle seen) and one column per
        feature of `Candles.features`.
    """
    columns = Candles(candles)
    rows = [columns.features(end) for end in range(MIN_CANDLES, len(candles) + 1)]
    frame = pd.DataFrame(rows, columns=[*NUMBERS, *NAMES])
    moments = candles["date"].iloc[MIN_CANDLES - 1 :] + pd.Timedelta(seconds=timeframe_s)
    frame.insert(0, "open_date", moments.to_numpy())
    frame["open_date"] = pd.to_datetime(frame["open_date"], utc=True).astype("datetime64[ms, UTC]")
    frame[list(NAMES)] = frame[list(NAMES)].fillna("")
    return frame


def cached_situations(folder: Path, timeframe: str, cache: Path) -> pd.DataFrame:
    """Return the situations of all pairs of a folder, with what the whole market did.

    Adds `pair` (spot name), `btc_trend`, `btc_regime`, `btc_volatility` (the situation of BTC at
    the same moment), `market_day` and `market_week` (mean return of all pairs over 24 h and 168 h,
    ratio) and `market_volatility` (mean of the pairs' volatility).
    """
    path = cache / f"situations-{folder.name}-{timeframe}.feather"
    if path.is_file():
        return pd.read_feather(path)
    timeframe_s = int(pd.Timedelta(timeframe.replace("m", "min")).total_seconds())
    parts, closes = [], {}
    for pair in pairs_in(folder, timeframe):
        candles = spot_candles(folder, pair, timeframe)
        parts.append(situations(candles, timeframe_s).assign(pair=pair))
        moments = candles["date"] + pd.Timedelta(seconds=timeframe_s)
        closes[pair] = pd.Series(np.log(candles["close"].to_numpy()), index=moments)
    frame = pd.concat(parts, ignore_index=True)
    per_day = 86_400 // timeframe_s
    prices = pd.DataFrame(closes)
    market = pd.DataFrame(
        {
            "market_day": prices.diff(per_day).mean(axis=1),
            "market_week": prices.diff(7 * per_day).mean(axis=1),
            "market_volatility": frame.groupby("open_date")["volatility"].mean(),
        }
    )
    bitcoin = frame[frame["pair"] == "BTC/USDT"].set_index("open_date")
    for name in ("trend", "regime", "volatility"):
        market[f"btc_{name}"] = bitcoin[name]
    market["btc_regime"] = market["btc_regime"].fillna("")
    frame = frame.merge(market, left_on="open_date", right_index=True, how="left")
    cache.mkdir(parents=True, exist_ok=True)
    frame.to_feather(path)
    return frame
