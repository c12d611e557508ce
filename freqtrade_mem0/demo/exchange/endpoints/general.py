"""Time, and the markets with their limits and precisions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.demo.exchange.endpoints.request import to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.demo.exchange.endpoints.request import Endpoint, Request
    from freqtrade_mem0.demo.exchange.markets import Market


def _exchange_info(request: Request) -> dict[str, Any]:
    symbol = _futures_symbol if request.is_futures else _spot_symbol
    return {
        "timezone": "UTC",
        "serverTime": to_ms(request.now_s),
        "rateLimits": [],
        "exchangeFilters": [],
        "symbols": [symbol(path.market) for path in request.paths],
    }


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
    prices = {"minPrice": tick, "maxPrice": "1000000", "tickSize": tick}
    return {
        "symbol": market.symbol,
        "status": "TRADING",
        "baseAsset": market.base,
        "quoteAsset": market.quote,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "filters": [
            {"filterType": "PRICE_FILTER", **prices},
            {"filterType": "LOT_SIZE", **lots},
            {"filterType": "MARKET_LOT_SIZE", **lots, "minQty": "0"},
            notional,
        ],
    }


ENDPOINTS: Mapping[str, Endpoint] = {
    "ping": lambda _request: {},
    "time": lambda request: {"serverTime": to_ms(request.now_s)},
    "exchangeInfo": _exchange_info,
    "spot/delist-schedule": lambda _request: [],
}
