"""The candles the lab runs on: folders, markets and periods; futures made from spot candles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from pathlib import Path

FUNDING_RATE = 0.0001
"""Binance's usual rate, ratio of the position per 8 hours; longs pay it."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One folder of candles, run at one timeframe on one kind of market.

    Parameters
    ----------
    name
        Of the tables made from it.
    folder
        Below the data root.
    timeframe
        As Freqtrade names it.
    futures
        USD-M futures with shorts, instead of spot.
    timerange
        As Freqtrade reads it.
    """

    name: str
    folder: str
    timeframe: str
    futures: bool
    timerange: str


DATASETS = tuple(
    Dataset(f"{market}-{name}", folder, timeframe, market == "futures", timerange)
    for name, folder, timeframe, timerange in (
        ("2018", "binance-2018-2022", "1h", "20180101-20221011"),
        ("2024-1h", "binance-2024", "1h", "20240111-20240906"),
        ("2024-5m", "binance-2024", "5m", "20240104-20240906"),
    )
    for market in ("spot", "futures")
)


def pairs_in(folder: Path, timeframe: str) -> list[str]:
    """Return the spot pairs a folder has candles of, "ETH/USDT"."""
    files = folder.glob(f"*-{timeframe}.feather")
    return sorted(file.name.split("-")[0].replace("_", "/") for file in files)


def spot_candles(folder: Path, pair: str, timeframe: str) -> pd.DataFrame:
    """Return candles as Freqtrade's strategies see them: gaps filled with flat, empty candles."""
    from freqtrade.data.converter import ohlcv_fill_up_missing_data

    frame = pd.read_feather(folder / f"{pair.replace('/', '_')}-{timeframe}.feather")
    frame["date"] = frame["date"].astype("datetime64[ms, UTC]")
    filled: pd.DataFrame = ohlcv_fill_up_missing_data(frame, timeframe, pair)
    return filled


def write_futures(source: Path, target: Path, timeframe: str) -> None:
    """Write spot candles as USD-M futures: candles, 1h mark prices, and constant funding.

    Funding stands at 0, 8 and 16 h UTC, as on the exchange; other hours have none.
    """
    folder = target / "futures"
    folder.mkdir(parents=True, exist_ok=True)
    for pair in pairs_in(source, timeframe):
        stem = f"{pair.replace('/', '_')}_USDT"
        candles = spot_candles(source, pair, timeframe)
        rules = {"open": "first", "high": "max", "low": "min", "close": "last", "volume": "sum"}
        hours = candles.resample("1h", on="date").agg(rules).dropna().reset_index()
        due = hours["date"].dt.hour % 8 == 0
        funding = hours[due].assign(open=FUNDING_RATE, high=0.0, low=0.0, close=0.0, volume=0.0)
        for frame, kind in (
            (candles, f"{timeframe}-futures"),
            (hours, "1h-mark"),
            (funding, "1h-funding_rate"),
        ):
            path = folder / f"{stem}-{kind}.feather"
            frame.reset_index(drop=True).to_feather(path, compression="lz4")
