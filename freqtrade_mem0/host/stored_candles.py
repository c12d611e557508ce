"""Reads the candles that Freqtrade has stored (`freqtrade download-data`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame


def candle_folder(config: Mapping[str, Any], user_data_dir: Path) -> Path | None:
    """Return the folder of a config's candles; None where it names neither folder nor exchange."""
    if config.get("datadir"):
        return Path(config["datadir"])
    exchange = (config.get("exchange") or {}).get("name")
    return user_data_dir / "data" / str(exchange).lower() if exchange else None


def stored_candles(
    config: Mapping[str, Any], folder: Path, pair: str, timeframe: str
) -> DataFrame | None:
    """Return the stored candles of a pair, oldest first; None where there are none.

    Raises
    ------
    ValueError, OSError
        Freqtrade does not know the timeframe, or can not read the file.
    """
    from freqtrade.data.history import load_pair_history
    from freqtrade.enums import CandleType

    candles = load_pair_history(
        pair,
        timeframe,
        folder,
        data_format=config.get("dataformat_ohlcv"),
        candle_type=CandleType.get_default(str(config.get("trading_mode") or "spot")),
    )
    return None if candles.empty else candles
