"""Accounts of the exchange stand-in: balances, orders, and the trades that fill them.

An account is made at the first request with its key. Orders are matched when its owner asks for
something, against every price point since the last request: a stop is triggered while a bot is
down. Amounts are decimals, as on the exchange.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from freqtrade_mem0.demo.exchange.markets import Market

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.demo.exchange.prices import PricePath

NEW, PARTIALLY_FILLED, FILLED = "NEW", "PARTIALLY_FILLED", "FILLED"
CANCELED, EXPIRED = "CANCELED", "EXPIRED"
BUY = "BUY"
MARKET, STOP_LOSS_LIMIT = "MARKET", "STOP_LOSS_LIMIT"
ORDER_TYPES = ("LIMIT", MARKET, STOP_LOSS_LIMIT)

FILTER, BALANCE, UNKNOWN_CANCEL, UNKNOWN_ORDER = -1013, -2010, -2011, -2013
_DEPOSIT = 10_000
_FEE = Decimal("0.001")
_ZERO = Decimal(0)
_SATOSHI = Decimal("0.00000001")


class RefusalError(Exception):
    """The exchange refuses a request; `code` is Binance's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True, kw_only=True)
class Order:
    """An order and how far it is filled; amounts in base currency."""

    id: int
    client_id: str
    market: Market
    side: str
    type: str
    amount: Decimal
    price: Decimal
    stop_price: Decimal
    placed_s: float
    changed_s: float
    is_triggered: bool
    reserved: Decimal
    """Share of the balance that is locked for it: quote currency of a buy, base of a sale."""
    status: str = NEW
    filled: Decimal = _ZERO
    cost: Decimal = _ZERO

    @property
    def is_open(self) -> bool:
        """Whether it can still be filled."""
        return self.status in {NEW, PARTIALLY_FILLED}

    @property
    def is_buy(self) -> bool:
        """Whether it buys."""
        return self.side == BUY

    @property
    def pays_with(self) -> str:
        """The currency that it gives away."""
        return self.market.quote if self.is_buy else self.market.base


@dataclass(frozen=True, slots=True, kw_only=True)
class Fill:
    """A trade that filled an order, or a part of it; the fee is taken from what was received."""

    id: int
    order: Order
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_currency: str
    at_s: float


@dataclass(slots=True)
class Account:
    """What belongs to one key."""

    free: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    locked: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    orders: list[Order] = field(default_factory=list)
    fills: list[Fill] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    matched_until_s: float = 0.0


class Accounts:
    """All accounts of the stand-in. Not thread-safe: its server holds a lock.

    Parameters
    ----------
    paths
        Prices by symbol.
    """

    def __init__(self, paths: Mapping[str, PricePath]) -> None:
        self._paths = paths
        self._accounts: dict[str, Account] = {}
        self._fill_shares: dict[str, Decimal] = {}
        self._last_id = 0

    def account(self, key: str, now_s: float) -> Account:
        """Return the account of a key, with its orders matched up to now."""
        if key not in self._accounts:
            self._accounts[key] = account = Account(matched_until_s=now_s)
            account.free["USDT"] = Decimal(_DEPOSIT)
        account = self._accounts[key]
        for order in account.orders:
            if order.is_open:
                path = self._paths[order.market.symbol]
                for moment_s in path.moments(max(account.matched_until_s, order.placed_s), now_s):
                    self._match(account, order, moment_s)
        account.matched_until_s = now_s
        return account

    def limit_fills(self, symbol: str, share: float, now_s: float) -> None:
        """Fill only a share of each order from now on, in [0, 1]; 1 fills the rest, too."""
        for key in self._accounts:
            self.account(key, now_s)
        self._fill_shares[symbol] = Decimal(str(share))

    def place(self, key: str, query: Mapping[str, str], now_s: float) -> Order:
        """Place an order.

        Raises
        ------
        RefusalError
            It does not pass the market's filters, or the balance is too small.
        """
        account = self.account(key, now_s)
        try:
            order = self._new_order(account, query, now_s)
        except RefusalError as refusal:
            wanted = " ".join(f"{name}={query[name]}" for name in _SHOWN if name in query)
            account.refusals.append(f"{refusal} ({wanted})")
            raise
        account.free[order.pays_with] -= order.reserved
        account.locked[order.pays_with] += order.reserved
        account.orders.append(order)
        self._match(account, order, now_s)
        if order.type == MARKET and order.is_open:
            self._end(account, order, EXPIRED, now_s)
        return order

    def find(self, account: Account, query: Mapping[str, str], code: int = UNKNOWN_ORDER) -> Order:
        """Return the order that a query names by one of its ids.

        Raises
        ------
        RefusalError
            With `code`: there is none.
        """
        for order in account.orders:
            if query.get("orderId") == str(order.id):
                return order
            if query.get("origClientOrderId") == order.client_id:
                return order
        raise RefusalError(code, "Order does not exist.")

    def cancel(self, account: Account, query: Mapping[str, str], now_s: float) -> Order:
        """Cancel an order.

        Raises
        ------
        RefusalError
            There is none, or it is not open any more.
        """
        order = self.find(account, query, UNKNOWN_CANCEL)
        if not order.is_open:
            raise RefusalError(UNKNOWN_CANCEL, "Unknown order sent.")
        self._end(account, order, CANCELED, now_s)
        return order

    def _new_order(self, account: Account, query: Mapping[str, str], now_s: float) -> Order:
        path = self._paths[query["symbol"]]
        market, last = path.market, _price(path, now_s)
        amount, price = Decimal(query["quantity"]), Decimal(query.get("price", "0"))
        stop_price, kind = Decimal(query.get("stopPrice", "0")), query["type"]
        is_buy = query["side"] == BUY
        if kind not in ORDER_TYPES:
            raise RefusalError(FILTER, f"The exchange stand-in has no orders of type {kind}.")
        if amount <= 0 or amount % _step(market):
            raise RefusalError(FILTER, "Filter failure: LOT_SIZE")
        if (kind != MARKET and price <= 0) or price % _tick(market) or stop_price % _tick(market):
            raise RefusalError(FILTER, "Filter failure: PRICE_FILTER")
        worth = last if kind == MARKET else price
        if amount * worth < Decimal(str(market.min_notional_quote)):
            raise RefusalError(FILTER, "Filter failure: NOTIONAL")
        if kind == STOP_LOSS_LIMIT and (stop_price <= last if is_buy else stop_price >= last):
            raise RefusalError(BALANCE, "Stop price would trigger immediately.")
        pays = _ask(market, last) if kind == MARKET else price
        reserved = amount * pays if is_buy else amount
        if account.free[market.quote if is_buy else market.base] < reserved:
            raise RefusalError(BALANCE, "Account has insufficient balance for requested action.")
        self._last_id += 1
        return Order(
            id=self._last_id,
            client_id=query.get("newClientOrderId", f"stand-in-{self._last_id}"),
            market=market,
            side=query["side"],
            type=kind,
            amount=amount,
            price=price,
            stop_price=stop_price,
            placed_s=now_s,
            changed_s=now_s,
            is_triggered=kind != STOP_LOSS_LIMIT,
            reserved=reserved,
        )

    def _match(self, account: Account, order: Order, moment_s: float) -> None:
        """Fill an order as far as the price at a moment allows."""
        if not order.is_open:
            return
        last = _price(self._paths[order.market.symbol], moment_s)
        if not order.is_triggered:
            passed = last >= order.stop_price if order.is_buy else last <= order.stop_price
            if not passed:
                return
            order.is_triggered, order.changed_s = True, moment_s
        best = _ask(order.market, last) if order.is_buy else last - _tick(order.market)
        if order.type != MARKET and (best > order.price if order.is_buy else best < order.price):
            return
        # An order that waits in the book is filled at its own price.
        waited = order.type == "LIMIT" and moment_s > order.placed_s
        share = self._fill_shares.get(order.market.symbol, Decimal(1))
        amount = _rounded(order.amount * share, _step(order.market)) - order.filled
        if amount > 0:
            self._fill(account, order, order.price if waited else best, amount, moment_s)

    def _fill(
        self, account: Account, order: Order, price: Decimal, amount: Decimal, moment_s: float
    ) -> None:
        cost = amount * price
        given, received = (cost, amount) if order.is_buy else (amount, cost)
        received_currency = order.market.base if order.is_buy else order.market.quote
        fee = (received * _FEE).quantize(_SATOSHI)
        order.reserved -= given
        account.locked[order.pays_with] -= given
        account.free[received_currency] += received - fee
        order.filled += amount
        order.cost += cost
        order.changed_s = moment_s
        account.fills.append(
            Fill(
                id=len(account.fills) + 1,
                order=order,
                price=price,
                amount=amount,
                fee=fee,
                fee_currency=received_currency,
                at_s=moment_s,
            )
        )
        if order.filled >= order.amount:
            self._end(account, order, FILLED, moment_s)
        else:
            order.status = PARTIALLY_FILLED

    def _end(self, account: Account, order: Order, status: str, moment_s: float) -> None:
        account.locked[order.pays_with] -= order.reserved
        account.free[order.pays_with] += order.reserved
        order.reserved, order.status, order.changed_s = _ZERO, status, moment_s


_SHOWN = ("symbol", "side", "type", "quantity", "price", "stopPrice")


def _price(path: PricePath, moment_s: float) -> Decimal:
    return Decimal(f"{path.at(moment_s):.{path.market.price_decimals}f}")


def _ask(market: Market, last: Decimal) -> Decimal:
    return last + _tick(market)


def _tick(market: Market) -> Decimal:
    return Decimal(1).scaleb(-market.price_decimals)


def _step(market: Market) -> Decimal:
    return Decimal(1).scaleb(-market.amount_decimals)


def _rounded(amount: Decimal, step: Decimal) -> Decimal:
    return (amount / step).quantize(Decimal(1), ROUND_DOWN) * step
