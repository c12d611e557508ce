"""What the exchange stand-in answers: Binance's public endpoints, as far as ccxt and Freqtrade ask.

Pure: a path, a query and a time in; a status and a JSON value out.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.demo.exchange.prices import INTERVALS_S, price_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from freqtrade_mem0.demo.exchange.markets import Market
    from freqtrade_mem0.demo.exchange.prices import PricePath

    Query = Mapping[str, str]
    Answer = tuple[int, Any]

NOT_FOUND = 404
_ADDRESS = re.compile(r"/(api|fapi)/v\d/(.+)")
_OK = 200
_BAD_REQUEST = 400
_DAY_S = 86_400
_FUNDING_S = 28_800
_FUNDING_RATE = "0.00010000"
_MAX_LEVELS = 100
_BOOK_LEVEL_QUOTE = 1_000_000.0
"""Size of each level of the order book, so that a demo's orders always fill at the first ones."""


class PublicApi:
    """Binance's public REST API (spot under `/api`, USD-M futures under `/fapi`) for some markets.

    Parameters
    ----------
    markets
        What is traded.
    data_dir
        Candles the prices follow; None: seeded random walks.
    seconds_per_point
        See `PricePath`.
    """

    def __init__(
        self, markets: Sequence[Market], data_dir: Path | None, seconds_per_point: float
    ) -> None:
        self.paths = {m.symbol: price_path(m, data_dir, seconds_per_point) for m in markets}
        self._endpoints: dict[str, Callable[[list[PricePath], Query, float], Any]] = {
            "ping": lambda _paths, _query, _now_s: {},
            "time": lambda _paths, _query, now_s: {"serverTime": _ms(now_s)},
            "fundingInfo": lambda _paths, _query, _now_s: [],
            "depth": _depth,
            "fundingRate": _funding_rates,
            "klines": _klines,
            "continuousKlines": _klines,
            "markPriceKlines": _klines,
            "indexPriceKlines": _klines,
            "premiumIndexKlines": _klines,
        }
        self._per_symbol: dict[str, Callable[[PricePath, float], dict[str, Any]]] = {
            "ticker": _ticker,
            "ticker/24hr": _ticker,
            "ticker/price": _ticker_price,
            "ticker/bookTicker": _book_ticker,
            "premiumIndex": _premium_index,
        }

    def answer(self, path: str, query: Query, now_s: float) -> Answer:
        """Return `(status, JSON value)` for a GET request.

        Parameters
        ----------
        path
            For example "/api/v3/klines" or "/fapi/v1/depth".
        query
            Its parameters.
        now_s
            Wall time in epoch seconds.
        """
        match = _ADDRESS.fullmatch(path)
        if match is None:
            return NOT_FOUND, _error(f"The exchange stand-in has no address {path!r}.")
        product, endpoint = match.groups()
        paths = self._chosen(query)
        if paths is None:
            return _BAD_REQUEST, _error("Invalid symbol.", code=-1121)
        if endpoint == "exchangeInfo":
            return _OK, _exchange_info([path.market for path in paths], product == "fapi", now_s)
        if endpoint in self._per_symbol:
            rows = [self._per_symbol[endpoint](path, now_s) for path in paths]
            return _OK, rows[0] if "symbol" in query else rows
        if endpoint in self._endpoints:
            return _OK, self._endpoints[endpoint](paths, query, now_s)
        return NOT_FOUND, _error(f"The exchange stand-in does not know {endpoint!r}.")

    def _chosen(self, query: Query) -> list[PricePath] | None:
        """Return the markets a query asks for; None where one does not exist."""
        symbols = list(self.paths)
        if "symbols" in query:
            symbols = json.loads(query["symbols"])
        for name in ("symbol", "pair"):
            if name in query:
                symbols = [query[name]]
        if any(symbol not in self.paths for symbol in symbols):
            return None
        return [self.paths[symbol] for symbol in symbols]


def _klines(paths: list[PricePath], query: Query, now_s: float) -> list[list[Any]]:
    interval_s = INTERVALS_S[query["interval"]]
    candles = paths[0].candles(
        interval_s,
        now_s,
        start_s=int(query["startTime"]) / 1_000 if "startTime" in query else None,
        end_s=int(query["endTime"]) / 1_000 if "endTime" in query else None,
        limit=max(1, min(int(query.get("limit", "500")), 1_500)),
    )
    market = paths[0].market
    rows = []
    for start_s, *prices in candles:
        # Any volume will do, as long as the same candle always has the same one.
        volume = f"{100 + start_s // interval_s * 7_919 % 900:.3f}"
        row = [start_s * 1_000, *(_price(market, p) for p in prices), volume]
        rows.append([*row, (start_s + interval_s) * 1_000 - 1, volume, 100, volume, volume, "0"])
    return rows


def _depth(paths: list[PricePath], query: Query, now_s: float) -> dict[str, Any]:
    market, last = paths[0].market, paths[0].at(now_s)
    amount = f"{_BOOK_LEVEL_QUOTE / last:.{market.amount_decimals}f}"
    levels = range(1, min(int(query.get("limit", "100")), _MAX_LEVELS) + 1)
    return {
        "lastUpdateId": _ms(now_s),
        "E": _ms(now_s),
        "T": _ms(now_s),
        "bids": [[_price(market, last - level * market.tick), amount] for level in levels],
        "asks": [[_price(market, last + level * market.tick), amount] for level in levels],
    }


def _ticker(path: PricePath, now_s: float) -> dict[str, Any]:
    market, last, before = path.market, path.at(now_s), path.at(now_s - _DAY_S)
    return _book_ticker(path, now_s) | {
        "priceChange": _price(market, last - before),
        "priceChangePercent": f"{(last / before - 1) * 100:.3f}",
        "weightedAvgPrice": _price(market, last),
        "prevClosePrice": _price(market, before),
        "lastPrice": _price(market, last),
        "lastQty": "1",
        "openPrice": _price(market, before),
        "highPrice": _price(market, max(last, before)),
        "lowPrice": _price(market, min(last, before)),
        "volume": f"{_BOOK_LEVEL_QUOTE / last:.3f}",
        "quoteVolume": f"{_BOOK_LEVEL_QUOTE:.2f}",
        "openTime": _ms(now_s - _DAY_S),
        "closeTime": _ms(now_s),
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }


def _ticker_price(path: PricePath, now_s: float) -> dict[str, Any]:
    price = _price(path.market, path.at(now_s))
    return {"symbol": path.market.symbol, "price": price, "time": _ms(now_s)}


def _book_ticker(path: PricePath, now_s: float) -> dict[str, Any]:
    market, last = path.market, path.at(now_s)
    return {
        "symbol": market.symbol,
        "bidPrice": _price(market, last - market.tick),
        "bidQty": "100",
        "askPrice": _price(market, last + market.tick),
        "askQty": "100",
        "time": _ms(now_s),
    }


def _premium_index(path: PricePath, now_s: float) -> dict[str, Any]:
    price = _price(path.market, path.at(now_s))
    return {
        "symbol": path.market.symbol,
        "markPrice": price,
        "indexPrice": price,
        "estimatedSettlePrice": price,
        "lastFundingRate": _FUNDING_RATE,
        "interestRate": _FUNDING_RATE,
        "nextFundingTime": (int(now_s) // _FUNDING_S + 1) * _FUNDING_S * 1_000,
        "time": _ms(now_s),
    }


def _funding_rates(paths: list[PricePath], query: Query, now_s: float) -> list[dict[str, Any]]:
    start_s = int(query.get("startTime", _ms(now_s - 30 * _DAY_S))) // 1_000
    first_s = -(-start_s // _FUNDING_S) * _FUNDING_S
    times_s = range(first_s, int(now_s), _FUNDING_S)[: int(query.get("limit", "100"))]
    return [
        {
            "symbol": paths[0].market.symbol,
            "fundingRate": _FUNDING_RATE,
            "fundingTime": time_s * 1_000,
            "markPrice": "0",
        }
        for time_s in times_s
    ]


def _exchange_info(markets: Sequence[Market], is_futures: bool, now_s: float) -> dict[str, Any]:
    symbols = [_futures_symbol(m) if is_futures else _spot_symbol(m) for m in markets]
    limits: dict[str, Any] = {"rateLimits": [], "exchangeFilters": []}
    return {"timezone": "UTC", "serverTime": _ms(now_s), **limits, "symbols": symbols}


def _spot_symbol(market: Market) -> dict[str, Any]:
    notional = {
        "filterType": "NOTIONAL",
        "minNotional": str(market.min_notional_quote),
        "applyMinToMarket": True,
        "maxNotional": "9000000",
        "applyMaxToMarket": False,
        "avgPriceMins": 5,
    }
    return _symbol(market, notional) | {
        "quoteAssetPrecision": 8,
        "orderTypes": ["LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS_LIMIT"],
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "permissions": ["SPOT"],
        "permissionSets": [["SPOT"]],
    }


def _futures_symbol(market: Market) -> dict[str, Any]:
    notional = {"filterType": "MIN_NOTIONAL", "notional": str(market.min_notional_quote)}
    return _symbol(market, notional) | {
        "pair": market.symbol,
        "contractType": "PERPETUAL",
        "deliveryDate": 4_133_404_800_000,
        "onboardDate": 1_569_398_400_000,
        "marginAsset": market.quote,
        "pricePrecision": market.price_decimals,
        "quantityPrecision": market.amount_decimals,
        "maintMarginPercent": "2.5",
        "requiredMarginPercent": "5",
        "underlyingType": "COIN",
        "orderTypes": ["LIMIT", "MARKET", "STOP", "STOP_MARKET"],
        "timeInForce": ["GTC", "IOC", "FOK", "GTX"],
    }


def _symbol(market: Market, notional: dict[str, Any]) -> dict[str, Any]:
    tick = f"{market.tick:.{market.price_decimals}f}"
    step = f"{10.0**-market.amount_decimals:.{market.amount_decimals}f}"
    lots = {"minQty": step, "maxQty": "9000000", "stepSize": step}
    return {
        "symbol": market.symbol,
        "status": "TRADING",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000"}
            | {"tickSize": tick},
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots, "minQty": "0"},
            notional,
        ],
    }


def _price(market: Market, value: float) -> str:
    return f"{value:.{market.price_decimals}f}"


def _ms(moment_s: float) -> int:
    return int(moment_s * 1_000)


def _error(message: str, code: int = -1) -> dict[str, Any]:
    return {"code": code, "msg": message}
