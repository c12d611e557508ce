"""What bots say about themselves: positions, orders, profit and balance, asked by the server.

Freqtrade's REST API also takes orders under the same credentials. So they stay here: a browser
never gets them, only the addresses below are asked, and only with GET.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from freqtrade_mem0.errors import ConfigError

logger = logging.getLogger(__name__)

ASKED: Mapping[str, str] = {
    "config": "/api/v1/show_config",
    "positions": "/api/v1/status",
    "profit": "/api/v1/profit",
    "balance": "/api/v1/balance",
    "count": "/api/v1/count",
}
"""The only addresses that are ever asked, with GET."""

TIMEOUT_S = 2.0
KEPT_S = 2.0
"""Answers are shared by all pages that ask within this time."""
MOST_BYTES = 2_000_000

_OF_A_POSITION = (
    *("trade_id", "pair", "is_short", "enter_tag", "open_date", "open_rate", "current_rate"),
    *("stake_amount", "amount", "leverage", "profit_ratio", "profit_abs", "has_open_orders"),
    *("stop_loss_abs", "quote_currency", "min_rate", "max_rate"),
)
_OF_AN_ORDER = (
    *("pair", "ft_order_side", "order_type", "status", "amount", "remaining", "safe_price"),
    *("order_date", "order_timestamp", "is_open"),
)
_OF_THE_PROFIT = (
    *("profit_all_coin", "profit_all_ratio", "profit_closed_coin", "trade_count"),
    *("closed_trade_count", "winning_trades", "losing_trades", "max_drawdown", "max_drawdown_abs"),
    *("profit_factor", "first_trade_date", "latest_trade_date"),
)
_OF_THE_CONFIG = (
    *("bot_name", "dry_run", "state", "strategy", "exchange", "trading_mode", "timeframe"),
    *("stake_currency", "stake_amount", "max_open_trades", "version", "runmode"),
)


@dataclass(frozen=True, slots=True)
class Bot:
    """Where a bot is; `secret` returns the password, `ConfigError` where it is not set."""

    name: str
    url: str
    username: str
    secret: Callable[[], str] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class BotState:
    """What a bot said, or why it said nothing.

    Parameters
    ----------
    name
        As the config names it.
    away
        Why there is no answer, in a sentence; "" where there is one.
    config, profit, balance
        As Freqtrade's API has them, the values that pages show.
    positions, orders
        Open trades, and their orders that are not filled.
    """

    name: str
    away: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)
    profit: Mapping[str, Any] = field(default_factory=dict)
    balance: Mapping[str, Any] = field(default_factory=dict)
    positions: Sequence[Mapping[str, Any]] = ()
    orders: Sequence[Mapping[str, Any]] = ()


class Bots:
    """The bots of a config; safe to share between threads.

    Parameters
    ----------
    bots
        Which ones, and their credentials.
    transport
        In place of the network, for tests.
    """

    def __init__(self, bots: Sequence[Bot], transport: httpx.BaseTransport | None = None) -> None:
        self._bots = bots
        self._transport = transport
        self._clients: dict[str, httpx.Client] = {}
        self._locks = {bot.name: threading.Lock() for bot in bots}
        self._known: dict[str, tuple[float, BotState]] = {}

    @property
    def names(self) -> list[str]:
        """The names of the bots, in the order of the config."""
        return [bot.name for bot in self._bots]

    def states(self, names: Sequence[str] | None = None) -> list[BotState]:
        """Return what the bots say, at most `KEPT_S` old; None asks all of them."""
        return [self._state(bot) for bot in self._bots if names is None or bot.name in names]

    def close(self) -> None:
        """Close the connections."""
        for client in self._clients.values():
            client.close()

    def _state(self, bot: Bot) -> BotState:
        with self._locks[bot.name]:
            at_s, known = self._known.get(bot.name, (float("-inf"), None))
            if known is None or time.monotonic() - at_s > KEPT_S:
                known = self._asked(bot)
                self._known[bot.name] = time.monotonic(), known
            return known

    def _asked(self, bot: Bot) -> BotState:
        said: dict[str, Any] = {}
        try:
            client = self._client(bot)
            for name, path in ASKED.items():
                said[name] = _json(client, path)
        except (_AwayError, ConfigError) as error:
            return BotState(name=bot.name, away=str(error))
        except (httpx.HTTPError, OSError) as error:
            logger.debug("The bot %s does not answer: %r", bot.name, error)
            return BotState(
                name=bot.name,
                away=f"{bot.url} does not answer ({type(error).__name__}). Is the bot running, and "
                "'api_server' in its config enabled?",
            )
        return _state(bot.name, said)

    def _client(self, bot: Bot) -> httpx.Client:
        client = self._clients.get(bot.name)
        if client is None:
            client = self._clients[bot.name] = httpx.Client(
                base_url=bot.url,
                auth=(bot.username, bot.secret()),
                timeout=TIMEOUT_S,
                follow_redirects=False,
                trust_env=False,
                transport=self._transport,
            )
        return client


class _AwayError(Exception):
    """A bot answered, but not with what was asked for."""


def _json(client: httpx.Client, path: str) -> Any:
    with client.stream("GET", path) as answer:
        if answer.status_code in {401, 403}:
            raise _AwayError(
                "it refuses these credentials. Compare 'username' and the password's variable in "
                "'mem0.service.bots' with 'api_server' in the bot's config."
            )
        if answer.status_code != 200:  # noqa: PLR2004
            raise _AwayError(f"it answered {path} with the status {answer.status_code}.")
        body = bytearray()
        for chunk in answer.iter_bytes():
            body += chunk
            if len(body) > MOST_BYTES:
                raise _AwayError(f"its answer to {path} has more than {MOST_BYTES:,} bytes.")
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _AwayError(f"its answer to {path} is no JSON.") from error


def _state(name: str, said: Mapping[str, Any]) -> BotState:
    status = said["positions"]
    trades = [each for each in status if isinstance(each, dict)] if isinstance(status, list) else []
    orders = [
        {"trade_id": trade.get("trade_id"), **_some(order, _OF_AN_ORDER)}
        for trade in trades
        for order in trade.get("orders") or ()
        if isinstance(order, dict) and order.get("is_open")
    ]
    balance = said["balance"] if isinstance(said["balance"], dict) else {}
    count = said["count"] if isinstance(said["count"], dict) else {}
    return BotState(
        name=name,
        config=_some(said["config"], _OF_THE_CONFIG),
        profit=_some(said["profit"], _OF_THE_PROFIT),
        balance=_some(balance, ("total", "total_bot", "stake", "symbol", "value", "note"))
        | {"slots": _some(count, ("current", "max", "total_stake"))},
        positions=[_some(trade, _OF_A_POSITION) for trade in trades],
        orders=orders,
    )


def _some(given: Any, names: Sequence[str]) -> dict[str, Any]:
    """Return the plain values of an answer that pages show; others do not leave this place."""
    if not isinstance(given, dict):
        return {}
    return {
        name: given[name]
        for name in names
        if name in given and isinstance(given[name], (str, int, float, bool, type(None)))
    }
