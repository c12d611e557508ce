"""Funding of USD-M futures: rates and mark prices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.demo.exchange.endpoints.request import for_each_market, price_text, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.demo.exchange.endpoints.request import Endpoint, Request
    from freqtrade_mem0.demo.exchange.prices import PricePath

_INTERVAL_S = 28_800
_RATE = "0.00010000"
_DEFAULT_SPAN_S = 30 * 86_400


def _premium_index(path: PricePath, now_s: float) -> dict[str, Any]:
    price = price_text(path.market, path.at(now_s))
    return {
        "symbol": path.market.symbol,
        "markPrice": price,
        "indexPrice": price,
        "estimatedSettlePrice": price,
        "lastFundingRate": _RATE,
        "interestRate": _RATE,
        "nextFundingTime": (int(now_s) // _INTERVAL_S + 1) * _INTERVAL_S * 1_000,
        "time": to_ms(now_s),
    }


def _funding_rates(request: Request) -> list[dict[str, Any]]:
    query, now_s = request.query, request.now_s
    start_s = int(query.get("startTime", to_ms(now_s - _DEFAULT_SPAN_S))) // 1_000
    first_s = -(-start_s // _INTERVAL_S) * _INTERVAL_S
    times_s = range(first_s, int(now_s), _INTERVAL_S)[: int(query.get("limit", "100"))]
    return [
        {
            "symbol": request.paths[0].market.symbol,
            "fundingRate": _RATE,
            "fundingTime": time_s * 1_000,
            "markPrice": "0",
        }
        for time_s in times_s
    ]


ENDPOINTS: Mapping[str, Endpoint] = {
    "premiumIndex": for_each_market(_premium_index),
    "fundingRate": _funding_rates,
    "fundingInfo": lambda _request: [],
}
