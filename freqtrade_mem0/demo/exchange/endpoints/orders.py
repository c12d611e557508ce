"""Spot account and orders: what needs a key. Signatures are not checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.demo.exchange.accounts import Accounts
from freqtrade_mem0.demo.exchange.endpoints.request import to_ms

if TYPE_CHECKING:
    from decimal import Decimal

    from freqtrade_mem0.demo.exchange.accounts import Fill, Order


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest:
    """A request with an account's key."""

    accounts: Accounts
    key: str
    query: Mapping[str, str]
    now_s: float


AccountEndpoint = Callable[[AccountRequest], Any]
"""Returns the JSON value of an answer, or raises a `RefusalError`."""


def order_row(order: Order) -> dict[str, Any]:
    """Return an order as Binance shows it."""
    return {
        "symbol": order.market.symbol,
        "orderId": order.id,
        "orderListId": -1,
        "clientOrderId": order.client_id,
        "price": _text(order.price),
        "origQty": _text(order.amount),
        "executedQty": _text(order.filled),
        "cummulativeQuoteQty": _text(order.cost),
        "status": order.status,
        "timeInForce": "GTC",
        "type": order.type,
        "side": order.side,
        "stopPrice": _text(order.stop_price),
        "icebergQty": "0.00000000",
        "time": to_ms(order.placed_s),
        "updateTime": to_ms(order.changed_s),
        "workingTime": to_ms(order.placed_s),
        "isWorking": order.is_triggered,
        "origQuoteOrderQty": "0.00000000",
        "selfTradePreventionMode": "NONE",
    }


def _account(request: AccountRequest) -> dict[str, Any]:
    account = request.accounts.account(request.key, request.now_s)
    currencies = sorted(account.free.keys() | account.locked.keys())
    return {
        "makerCommission": 10,
        "takerCommission": 10,
        "canTrade": True,
        "updateTime": to_ms(request.now_s),
        "accountType": "SPOT",
        "permissions": ["SPOT"],
        "balances": [
            {"asset": c, "free": _text(account.free[c]), "locked": _text(account.locked[c])}
            for c in currencies
        ],
    }


def _place(request: AccountRequest) -> dict[str, Any]:
    order = request.accounts.place(request.key, request.query, request.now_s)
    account = request.accounts.account(request.key, request.now_s)
    fills = [_fill_row(fill) for fill in account.fills if fill.order is order]
    return order_row(order) | {"transactTime": to_ms(request.now_s), "fills": fills}


def _order(request: AccountRequest) -> dict[str, Any]:
    account = request.accounts.account(request.key, request.now_s)
    return order_row(request.accounts.find(account, request.query))


def _cancel(request: AccountRequest) -> dict[str, Any]:
    account = request.accounts.account(request.key, request.now_s)
    return order_row(request.accounts.cancel(account, request.query, request.now_s))


def _orders(request: AccountRequest, *, only_open: bool) -> list[dict[str, Any]]:
    account = request.accounts.account(request.key, request.now_s)
    since_ms = int(request.query.get("startTime", "0"))
    return [
        order_row(order)
        for order in account.orders
        if request.query.get("symbol", order.market.symbol) == order.market.symbol
        and (order.is_open or not only_open)
        and to_ms(order.placed_s) >= since_ms
    ]


def _my_trades(request: AccountRequest) -> list[dict[str, Any]]:
    account = request.accounts.account(request.key, request.now_s)
    since_ms = int(request.query.get("startTime", "0"))
    return [
        _fill_row(fill)
        for fill in account.fills
        if fill.order.market.symbol == request.query["symbol"]
        and request.query.get("orderId", str(fill.order.id)) == str(fill.order.id)
        and to_ms(fill.at_s) >= since_ms
    ]


def _fill_row(fill: Fill) -> dict[str, Any]:
    return {
        "symbol": fill.order.market.symbol,
        "id": fill.id,
        "tradeId": fill.id,
        "orderId": fill.order.id,
        "price": _text(fill.price),
        "qty": _text(fill.amount),
        "quoteQty": _text(fill.price * fill.amount),
        "commission": _text(fill.fee),
        "commissionAsset": fill.fee_currency,
        "time": to_ms(fill.at_s),
        "isBuyer": fill.order.is_buy,
        "isMaker": False,
        "isBestMatch": True,
    }


def _text(value: Decimal) -> str:
    return f"{value:.8f}"


ENDPOINTS: Mapping[tuple[str, str], AccountEndpoint] = {
    ("GET", "account"): _account,
    ("POST", "order"): _place,
    ("GET", "order"): _order,
    ("DELETE", "order"): _cancel,
    ("GET", "openOrders"): lambda request: _orders(request, only_open=True),
    ("GET", "allOrders"): lambda request: _orders(request, only_open=False),
    ("GET", "myTrades"): _my_trades,
}
