"""Accounts of the exchange stand-in: the real ccxt trades with them, as Freqtrade does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ccxt  # type: ignore[import-untyped]
import pytest

from freqtrade_mem0.demo.exchange.markets import Market
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import exchange_block

if TYPE_CHECKING:
    from collections.abc import Iterator

PAIR = "BTC/USDT"
BTC = Market(
    base="BTC",
    quote="USDT",
    start_price=60_000.0,
    price_decimals=2,
    amount_decimals=5,
    min_notional_quote=10.0,
)


@pytest.fixture
def exchange() -> Iterator[ExchangeStandIn]:
    """A stand-in whose price the test holds."""
    with ExchangeStandIn([BTC]) as stand_in:
        stand_in.control.pin(PAIR)
        yield stand_in


@pytest.fixture
def binance(exchange: ExchangeStandIn) -> Any:
    """The real ccxt, with a key."""
    return client(exchange, "one")


def client(exchange: ExchangeStandIn, key: str) -> Any:
    """The ccxt client that Freqtrade would build for a live bot."""
    block = exchange_block(exchange.url, [PAIR], key=key)
    keys = {"apiKey": block["key"], "secret": block["secret"], "enableRateLimit": False}
    return ccxt.binance(block["ccxt_config"] | keys)


def test_a_purchase_pays_its_fee_in_the_coin(exchange: ExchangeStandIn, binance: Any) -> None:
    """A limit order above the ask is filled at the ask; balance and trade show the fee."""
    ask = binance.fetch_order_book(PAIR, 5)["asks"][0][0]
    order = binance.create_order(PAIR, "limit", "buy", 0.001, round(ask * 1.01, 2))
    assert (order["status"], order["filled"], order["average"]) == ("closed", 0.001, ask)
    balance = binance.fetch_balance()
    assert balance["BTC"]["free"] == 0.000999
    assert balance["USDT"]["free"] == pytest.approx(10_000 - 0.001 * ask, abs=1e-8)
    assert balance["USDT"]["used"] == 0.0
    (trade,) = binance.fetch_my_trades(PAIR)
    assert trade["fee"]["cost"] == 0.000001
    assert trade["fee"]["currency"] == "BTC"
    assert "BTC" not in client(exchange, "another").fetch_balance()


@pytest.mark.parametrize(
    ("cost", "reason"), [(8.0, "NOTIONAL"), (100_000.0, "insufficient balance")]
)
def test_an_order_that_breaks_a_rule_is_refused(
    exchange: ExchangeStandIn, binance: Any, cost: float, reason: str
) -> None:
    """The account names what was refused; no balance stays locked."""
    price = round(exchange.control.price(PAIR), 2)
    amount = round(cost / price, 5)
    with pytest.raises(ccxt.BaseError, match=reason):
        binance.create_order(PAIR, "limit", "buy", amount, price)
    (refusal,) = exchange.control.refusals("one")
    assert reason in refusal
    assert binance.fetch_balance()["USDT"]["used"] == 0.0


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"quantity": "0.000155", "price": "60000.00"}, "LOT_SIZE"),
        ({"quantity": "0.001", "price": "60000.001"}, "PRICE_FILTER"),
    ],
)
def test_numbers_between_the_steps_are_refused(
    binance: Any, query: dict[str, str], reason: str
) -> None:
    """What ccxt would round before is refused when it is sent as it is."""
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    with pytest.raises(ccxt.BaseError, match=reason):
        binance.private_post_order(order | query)


def test_a_stop_on_the_exchange_sells_when_its_price_is_passed(
    exchange: ExchangeStandIn, binance: Any
) -> None:
    """It waits with the coin locked, cannot be covered twice, and is triggered by a fall."""
    price = exchange.control.price(PAIR)
    binance.create_order(PAIR, "limit", "buy", 0.001, round(price * 1.01, 2))
    stop, limit = round(price * 0.9, 2), round(price * 0.89, 2)
    placed = binance.create_order(PAIR, "limit", "sell", 0.00099, limit, {"stopLossPrice": stop})
    assert binance.fetch_open_orders(PAIR)[0]["id"] == placed["id"]
    with pytest.raises(ccxt.InsufficientFunds):
        binance.create_order(PAIR, "limit", "sell", 0.0005, price)
    exchange.control.unpin(PAIR)
    exchange.control.move_to(PAIR, price * 0.895)
    exchange.control.pin(PAIR)
    order = binance.fetch_order(placed["id"], PAIR)
    assert (order["status"], order["filled"]) == ("closed", 0.00099)
    assert limit <= order["average"] <= stop


def test_a_part_of_an_order_can_be_filled_and_the_rest_cancelled(
    exchange: ExchangeStandIn, binance: Any
) -> None:
    """What is not filled is given back; an order that is not open can not be cancelled again."""
    exchange.control.limit_fills(PAIR, 0.4)
    price = round(exchange.control.price(PAIR) + 0.01, 2)
    order = binance.create_order(PAIR, "limit", "buy", 0.001, price)
    assert (order["status"], order["filled"]) == ("open", 0.0004)
    assert binance.cancel_order(order["id"], PAIR)["status"] == "canceled"
    balance = binance.fetch_balance()["USDT"]
    assert (balance["free"], balance["used"]) == (pytest.approx(10_000 - 0.0004 * price), 0.0)
    with pytest.raises(ccxt.OrderNotFound):
        binance.cancel_order(order["id"], PAIR)
