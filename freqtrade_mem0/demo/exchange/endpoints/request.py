"""A request as the endpoints see it, and the formats of Binance's answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.demo.exchange.prices import PricePath

if TYPE_CHECKING:
    from freqtrade_mem0.demo.exchange.markets import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to the stand-in: the prices of the markets it asks for (or all), and its query."""

    paths: tuple[PricePath, ...]
    query: Mapping[str, str]
    now_s: float
    is_futures: bool


Endpoint = Callable[[Request], Any]
"""Returns the JSON value of an answer."""


def for_each_market(row: Callable[[PricePath, float], dict[str, Any]]) -> Endpoint:
    """Return an endpoint that answers a row for one symbol, or a list of rows for several."""

    def answer(request: Request) -> Any:
        rows = [row(path, request.now_s) for path in request.paths]
        return rows[0] if "symbol" in request.query else rows

    return answer


def price_text(market: Market, value: float) -> str:
    """Return a price with the market's number of decimals."""
    return f"{value:.{market.price_decimals}f}"


def to_ms(moment_s: float) -> int:
    """Return epoch milliseconds."""
    return int(moment_s * 1_000)
