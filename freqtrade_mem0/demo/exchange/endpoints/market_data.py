"""Candles, order books and tickers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.demo.exchange.endpoints.request import for_each_market, price_text, to_ms
from freqtrade_mem0.demo.exchange.prices import INTERVALS_S

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.demo.exchange.endpoints.request import Endpoint, Request
    from freqtrade_mem0.demo.exchange.prices import PricePath

_DAY_S = 86_400
_MAX_LEVELS = 100
_LEVEL_QUOTE = 1_000_000.0
"""Size of each level of the order book: orders of a demo are always filled at the first levels."""


def _klines(request: Request) -> list[list[Any]]:
    path, query = request.paths[0], request.query
    interval_s = INTERVALS_S[query["interval"]]
    candles = path.candles(
        interval_s,
        request.now_s,
        start_s=int(query["startTime"]) / 1_000 if "startTime" in query else None,
        end_s=int(query["endTime"]) / 1_000 if "endTime" in query else None,
        limit=max(1, min(int(query.get("limit", "500")), 1_500)),
    )
    rows = []
    for start_s, *prices in candles:
        # Any volume will do, but a candle must always have the same one.
        volume = f"{100 + start_s // interval_s * 7_919 % 900:.3f}"
        row = [start_s * 1_000, *(price_text(path.market, p) for p in prices), volume]
        rows.append([*row, (start_s + interval_s) * 1_000 - 1, volume, 100, volume, volume, "0"])
    return rows


def _depth(request: Request) -> dict[str, Any]:
    path, now_ms = request.paths[0], to_ms(request.now_s)
    market, last = path.market, path.at(request.now_s)
    amount = f"{_LEVEL_QUOTE / last:.{market.amount_decimals}f}"
    levels = range(1, min(int(request.query.get("limit", "100")), _MAX_LEVELS) + 1)
    return {
        "lastUpdateId": now_ms,
        "E": now_ms,
        "T": now_ms,
        "bids": [[price_text(market, last - level * market.tick), amount] for level in levels],
        "asks": [[price_text(market, last + level * market.tick), amount] for level in levels],
    }


def _ticker(path: PricePath, now_s: float) -> dict[str, Any]:
    market, last, before = path.market, path.at(now_s), path.at(now_s - _DAY_S)
    return _book_ticker(path, now_s) | {
        "priceChange": price_text(market, last - before),
        "priceChangePercent": f"{(last / before - 1) * 100:.3f}",
        "weightedAvgPrice": price_text(market, last),
        "prevClosePrice": price_text(market, before),
        "lastPrice": price_text(market, last),
        "lastQty": "1",
        "openPrice": price_text(market, before),
        "highPrice": price_text(market, max(last, before)),
        "lowPrice": price_text(market, min(last, before)),
        "volume": f"{_LEVEL_QUOTE / last:.3f}",
        "quoteVolume": f"{_LEVEL_QUOTE:.2f}",
        "openTime": to_ms(now_s - _DAY_S),
        "closeTime": to_ms(now_s),
        "firstId": 1,
        "lastId": 2,
        "count": 2,
    }


def _ticker_price(path: PricePath, now_s: float) -> dict[str, Any]:
    price = price_text(path.market, path.at(now_s))
    return {"symbol": path.market.symbol, "price": price, "time": to_ms(now_s)}


def _book_ticker(path: PricePath, now_s: float) -> dict[str, Any]:
    market, last = path.market, path.at(now_s)
    return {
        "symbol": market.symbol,
        "bidPrice": price_text(market, last - market.tick),
        "bidQty": "100",
        "askPrice": price_text(market, last + market.tick),
        "askQty": "100",
        "time": to_ms(now_s),
    }


ENDPOINTS: Mapping[str, Endpoint] = {
    "klines": _klines,
    "depth": _depth,
    "ticker": for_each_market(_ticker),
    "ticker/24hr": for_each_market(_ticker),
    "ticker/price": for_each_market(_ticker_price),
    "ticker/bookTicker": for_each_market(_book_ticker),
    "continuousKlines": _klines,
    "markPriceKlines": _klines,
    "indexPriceKlines": _klines,
    "premiumIndexKlines": _klines,
}
