"""Asks the exchange of a config for candles, with Freqtrade's own code, in this process."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.host.heard import heard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pandas import DataFrame


def exchange_candles(
    config: Mapping[str, Any], pairs: Sequence[str], timeframe: str
) -> dict[str, DataFrame]:
    """Return the newest closed candles of pairs, oldest first; a pair without any is left out.

    Nothing is stored, and no account is used: keys in the config are left out.

    Raises
    ------
    ConfigError
        The exchange can not be asked.
    """
    name = (config.get("exchange") or {}).get("name")
    if not name:
        raise ConfigError("The config names no exchange, so none can be asked for candles.")
    found: dict[str, DataFrame] = {}
    with heard("freqtrade.exchange") as complaints:
        try:
            found = _asked(_without_account(config), pairs, timeframe)
        except Exception as error:  # noqa: BLE001 - a wrong config can raise anything in Freqtrade
            complaints.append(f"{type(error).__name__}: {error}")
    if not found:
        raise ConfigError(
            f"The exchange {name} gave no {timeframe} candles of {', '.join(pairs)}: "
            f"{complaints[-1] if complaints else 'it has none'}"
        )
    return found


def _without_account(config: Mapping[str, Any]) -> dict[str, Any]:
    secrets = ("key", "secret", "password", "uid", "walletAddress", "privateKey")
    own: dict[str, Any] = deepcopy(dict(config))
    exchange = {name: value for name, value in own["exchange"].items() if name not in secrets}
    return own | {"exchange": exchange | {"enable_ws": False}, "dry_run": True}


def _asked(config: dict[str, Any], pairs: Sequence[str], timeframe: str) -> dict[str, DataFrame]:
    from freqtrade.enums import CandleType, RunMode
    from freqtrade.resolvers import ExchangeResolver

    config["runmode"] = RunMode.UTIL_EXCHANGE
    candle_type = CandleType.get_default(str(config.get("trading_mode") or "spot"))
    exchange = ExchangeResolver.load_exchange(config, validate=False, load_leverage_tiers=False)
    try:
        wanted = [(pair, timeframe, candle_type) for pair in pairs]
        found = exchange.refresh_latest_ohlcv(wanted, cache=False)
    finally:
        exchange.close()
    return {key[0]: frame for key, frame in found.items() if not frame.empty}
