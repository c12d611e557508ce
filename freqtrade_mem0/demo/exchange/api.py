"""Binance's REST API for some markets, as far as ccxt and Freqtrade use it.

Takes a path, a query and a time; returns a status and a JSON value. Nothing but its accounts
changes by a request.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.demo.exchange.accounts import Accounts, RefusalError
from freqtrade_mem0.demo.exchange.endpoints import funding, general, market_data, orders
from freqtrade_mem0.demo.exchange.endpoints.orders import AccountEndpoint, AccountRequest
from freqtrade_mem0.demo.exchange.endpoints.request import Request
from freqtrade_mem0.demo.exchange.prices import price_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from freqtrade_mem0.demo.exchange.markets import Market
    from freqtrade_mem0.demo.exchange.prices import PricePath

    Answer = tuple[int, Any]

OK, BAD_REQUEST, UNAUTHORIZED, NOT_FOUND = 200, 400, 401, 404

_ADDRESS = re.compile(r"/(api|fapi|sapi)/v\d/(.+)")
_ENDPOINTS = {**general.ENDPOINTS, **market_data.ENDPOINTS, **funding.ENDPOINTS}


class ExchangeApi:
    """The API for some markets: spot under `/api`, with accounts, USD-M futures under `/fapi`.

    Parameters
    ----------
    markets
        What is traded.
    data_dir
        Candles that the prices follow; None for seeded random walks.
    seconds_per_point
        See `PricePath`.
    """

    def __init__(
        self, markets: Sequence[Market], data_dir: Path | None, seconds_per_point: float
    ) -> None:
        self.paths = {m.symbol: price_path(m, data_dir, seconds_per_point) for m in markets}
        self.accounts = Accounts(self.paths)

    def answer(
        self,
        path: str,
        query: Mapping[str, str],
        now_s: float,
        *,
        method: str = "GET",
        key: str = "",
    ) -> Answer:
        """Return `(status, JSON value)` for a request.

        Parameters
        ----------
        path
            For example "/api/v3/klines".
        query
            Its parameters, wherever they stand in the request.
        now_s
            Epoch seconds.
        method
            GET, POST or DELETE.
        key
            The account's; "" where the request has none.
        """
        match = _ADDRESS.fullmatch(path)
        if match is None:
            return NOT_FOUND, _error(f"The exchange stand-in has no address {path!r}.")
        product, name = match.groups()
        paths = self._chosen(query)
        if paths is None:
            return BAD_REQUEST, _error("Invalid symbol.", code=-1121)
        private = orders.ENDPOINTS.get((method, name)) if product == "api" else None
        if private is not None:
            request = AccountRequest(accounts=self.accounts, key=key, query=query, now_s=now_s)
            return _private_answer(private, request)
        endpoint = _ENDPOINTS.get(name) if method == "GET" else None
        if endpoint is None:
            return NOT_FOUND, _error(f"The exchange stand-in has no endpoint {method} {name!r}.")
        is_futures = product == "fapi"
        return OK, endpoint(Request(paths=paths, query=query, now_s=now_s, is_futures=is_futures))

    def _chosen(self, query: Mapping[str, str]) -> tuple[PricePath, ...] | None:
        """Return the markets that a query asks for; None where one does not exist."""
        symbols = list(self.paths)
        if "symbols" in query:
            symbols = json.loads(query["symbols"])
        for name in ("symbol", "pair"):
            if name in query:
                symbols = [query[name]]
        if any(symbol not in self.paths for symbol in symbols):
            return None
        return tuple(self.paths[symbol] for symbol in symbols)


def _private_answer(endpoint: AccountEndpoint, request: AccountRequest) -> Answer:
    if not request.key:
        return UNAUTHORIZED, _error("API-key format invalid.", code=-2014)
    try:
        return OK, endpoint(request)
    except RefusalError as refusal:
        return BAD_REQUEST, _error(str(refusal), code=refusal.code)


def _error(message: str, code: int = -1) -> dict[str, Any]:
    return {"code": code, "msg": message}
