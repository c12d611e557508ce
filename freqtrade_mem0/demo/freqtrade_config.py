"""Freqtrade configs for the demo, flow tests and benchmarks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def exchange_block(
    url: str, pairs: Sequence[str], *, futures: bool = False, key: str | None = None
) -> dict[str, Any]:
    """Return the `exchange` part of a config that uses the stand-in at `url`.

    Pairs have Freqtrade's names: "ETH/USDT" on spot, "ETH/USDT:USDT" on futures.
    With a key, of an account on spot, a bot can trade live.
    """
    addresses = {"public": f"{url}/api/v3"}
    if futures:
        addresses = {
            "fapiPublic": f"{url}/fapi/v1",
            "fapiPublicV2": f"{url}/fapi/v2",
            "fapiPublicV3": f"{url}/fapi/v3",
            "fapiData": f"{url}/futures/data",
        } | addresses
    options: dict[str, Any] = {"fetchMarkets": {"types": ["linear" if futures else "spot"]}}
    account: dict[str, Any] = {}
    if key is not None:
        addresses |= {"private": f"{url}/api/v3", "sapi": f"{url}/sapi/v1"}
        options |= {"fetchMargins": False, "fetchCurrencies": False}
        account = {"key": key, "secret": "not-checked"}
    return {
        "name": "binance",
        "enable_ws": False,
        "pair_whitelist": list(pairs),
        # ccxt settings, which Freqtrade passes to both of its clients.
        "ccxt_config": {
            "urls": {"api": addresses},
            "options": options,
        },
        **account,
    }


def freqtrade_config(
    url: str, pairs: Sequence[str], timeframe: str, *, futures: bool = False, **changes: Any
) -> dict[str, Any]:
    """Return a complete config for dry-runs and backtests, on spot or USD-M futures.

    Changes are more top-level keys, or other values, for example `mem0={...}`.
    """
    pricing = {"price_side": "other", "use_order_book": True, "order_book_top": 1}
    market: dict[str, Any] = {"trading_mode": "spot"}
    if futures:
        market = {"trading_mode": "futures", "margin_mode": "isolated"}
    return {
        "stake_currency": "USDT",
        "stake_amount": 500,
        "dry_run": True,
        "dry_run_wallet": 10_000,
        "max_open_trades": len(pairs),
        "timeframe": timeframe,
        **market,
        "dataformat_ohlcv": "feather",
        "entry_pricing": pricing,
        "exit_pricing": pricing,
        "exchange": exchange_block(url, pairs, futures=futures),
        "pairlists": [{"method": "StaticPairList"}],
        **changes,
    }


def write_config(path: Path, config: Mapping[str, Any]) -> Path:
    """Write a config as JSON, with its folder; return the file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    return path
