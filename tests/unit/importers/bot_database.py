"""Makes a bot's database with Freqtrade's own classes; run as a script, as these are process-wide.

Prints, as JSON, what the bot would have remembered of each closed trade.
"""

from __future__ import annotations

import json
import sys
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

from freqtrade.enums import TradingMode
from freqtrade.persistence import Order, Trade, init_db

from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.codec import to_plain
from freqtrade_mem0.records.from_trade import trade_record
from tests.support.samples import NOTED

BOT = "my-bot"
FIRST = datetime(2024, 5, 1, 10, 0, 3, 217_456)  # noqa: DTZ001 - as Freqtrade stores it


def order(trade: Any, number: int, side: str, *, rate: float, amount: float, at: datetime) -> None:
    """Fill an order of a trade."""
    placed = Order(
        ft_order_side=side,
        ft_pair=trade.pair,
        ft_is_open=False,
        ft_amount=amount,
        ft_price=rate,
        order_id=f"{trade.pair}-{side}-{number}",
        status="closed",
        symbol=trade.pair,
        order_type="limit",
        side=side,
        price=rate,
        average=rate,
        amount=amount,
        filled=amount,
        remaining=0.0,
        cost=rate * amount,
        order_date=at,
        order_filled_date=at,
    )
    trade.orders.append(placed)


def new_trade(number: int, pair: str, **changes: Any) -> Any:
    """Return an open trade without orders."""
    values: dict[str, Any] = {
        "pair": pair,
        "base_currency": pair.split("/", maxsplit=1)[0],
        "stake_currency": "USDT",
        "exchange": "binance",
        "open_rate": 100.0,
        "open_date": FIRST + timedelta(hours=number),
        "stake_amount": 33.333333333,
        "amount": 0.33333333,
        "fee_open": 0.001,
        "fee_close": 0.001,
        "is_open": True,
        "is_short": False,
        "leverage": 1.0,
        "strategy": "Sample",
        "enter_tag": "dip",
        "trading_mode": TradingMode.SPOT,
        "timeframe": 5,
    }
    return Trade(**(values | changes))


def close(trade: Any, rate: float, reason: str, at: datetime) -> None:
    """Close a trade as a bot does, at the last fill of its exit."""
    order(trade, 9, trade.exit_side, rate=rate, amount=trade.amount, at=at)
    trade.exit_reason = reason
    trade.close_date = at
    trade.close(rate, show_msg=False)


def fill_database() -> list[Any]:
    """Add trades of all sorts; return the closed ones in the order in which they were closed."""
    stepwise = new_trade(1, "ETH/USDT")
    order(stepwise, 1, "buy", rate=100.0, amount=0.33333333, at=stepwise.open_date)
    deeper = stepwise.open_date + timedelta(hours=1)
    order(stepwise, 2, "buy", rate=90.0, amount=0.44444444, at=deeper)
    stepwise.recalc_trade_from_orders()
    short = new_trade(
        2,
        "BTC/USDT:USDT",
        is_short=True,
        leverage=3.0,
        trading_mode=TradingMode.FUTURES,
        enter_tag=None,
        strategy="Other",
    )
    order(short, 1, "sell", rate=100.0, amount=0.99999999, at=short.open_date)
    short.recalc_trade_from_orders()
    still_open = new_trade(3, "DOGE/USDT")
    order(still_open, 1, "buy", rate=100.0, amount=0.33333333, at=still_open.open_date)
    never_filled = new_trade(4, "XRP/USDT", is_open=False, close_date=FIRST + timedelta(hours=5))
    losses = []
    for number in range(10, 16):
        loss = new_trade(number, "SOL/USDT")
        order(loss, number, "buy", rate=100.0, amount=0.33333333, at=loss.open_date)
        loss.recalc_trade_from_orders()
        losses.append(loss)
    for trade in (stepwise, short, still_open, never_filled, *losses):
        Trade.session.add(trade)
    close(stepwise, 97.5, "roi", FIRST + timedelta(hours=7, microseconds=5))
    short.set_funding_fees(-0.0123)
    close(short, 98.0, "stop_loss", FIRST + timedelta(hours=6))
    for number, loss in enumerate(losses):
        loss.orders[0].order_id = f"SOL-{number}"
        close(loss, 95.0, "exit_signal", loss.open_date + timedelta(minutes=30))
        loss.orders[-1].order_id = f"SOL-exit-{number}"
    # What a strategy's `order_filled` gets are copies, too.
    closed = [deepcopy(trade) for trade in (short, stepwise, *losses)]
    Trade.commit()
    return closed


def main() -> None:
    """Make the database that the first argument names."""
    init_db(f"sqlite:///{sys.argv[1]}")
    remembered = [
        to_plain(
            trade_record(
                trade,
                Origin(user_id="me", strategy=trade.strategy, mode=Mode.DRY_RUN, run_id=BOT),
                NOTED,
            )
        )
        for trade in fill_database()
    ]
    print(json.dumps(remembered))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
