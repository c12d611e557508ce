"""Situations of every candle, computed once per pair by the package's own function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from benchmarks.value.datasets import pairs_in, spot_candles
from freqtrade_mem0.situation import MIN_CANDLES, Candles
from freqtrade_mem0.situation.windows import FEATURES

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("volatility_regime", "trend_regime", "regime")


def situations(candles: pd.DataFrame, timeframe: str) -> pd.DataFrame:
    """Return the situation of a trade entered at the open of each candle of a pair.

    `open_date` is the moment of entry: the close of the last candle seen.
    """
    columns = Candles(candles)
    rows = [columns.features(end) for end in range(MIN_CANDLES, len(candles) + 1)]
    frame = pd.DataFrame(rows, columns=[*FEATURES, *NAMES])
    closes = candles["date"].iloc[MIN_CANDLES - 1 :] + pd.Timedelta(timeframe.replace("m", "min"))
    frame["open_date"] = pd.to_datetime(closes.to_numpy(), utc=True).astype("datetime64[ms, UTC]")
    frame[list(NAMES)] = frame[list(NAMES)].fillna("")
    return frame


def cached_situations(folder: Path, timeframe: str, cache: Path) -> pd.DataFrame:
    """Return the situations of all pairs of a folder, with `pair` (spot name)."""
    path = cache / f"situations-{folder.name}-{timeframe}.feather"
    if not path.is_file():
        parts = [
            situations(spot_candles(folder, pair, timeframe), timeframe).assign(pair=pair)
            for pair in pairs_in(folder, timeframe)
        ]
        cache.mkdir(parents=True, exist_ok=True)
        pd.concat(parts, ignore_index=True).to_feather(path)
    return pd.read_feather(path)
