"""Trades of Freqtrade's own class, filled and closed by Freqtrade's own code."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from freqtrade.enums import TradingMode
from freqtrade.persistence import LocalTrade, Order

from tests.support.samples import at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@contextmanager
def a_backtests_trades() -> Iterator[None]:
    """Give Freqtrade empty lists of trades, and its old ones back afterwards."""
    names = (
        "bt_trades",
        "bt_trades_open",
        "bt_trades_open_pp",
        "bt_open_open_trade_count",
        "bt_total_profit",
    )
    before = {name: getattr(LocalTrade, name) for name in names}
    LocalTrade.reset_trades()
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(LocalTrade, name, value)


def open_trade(
    pair: str = "ETH/USDT",
    *,
    number: int = 1,
    rate: float = 2_000.0,
    amount: float = 0.05,
    moment: datetime | None = None,
    is_short: bool = False,
    leverage: float = 1.0,
) -> Any:
    """Return an open trade whose entry order is filled, in the list of open trades."""
    moment = at() if moment is None else moment
    trade = LocalTrade(
        id=number,
        pair=pair,
        base_currency="ETH",
        stake_currency="USDT",
        open_rate=rate,
        open_date=moment,
        stake_amount=rate * amount / leverage,
        amount=amount,
        amount_requested=amount,
        fee_open=0.001,
        fee_close=0.001,
        is_open=True,
        is_short=is_short,
        leverage=leverage,
        enter_tag="dip",
        strategy="Sample",
        trading_mode=TradingMode.FUTURES if leverage != 1.0 or is_short else TradingMode.SPOT,
    )
    fill(trade, trade.entry_side, rate, amount, moment)
    LocalTrade.add_bt_trade(trade)
    return trade


def fill(trade: Any, side: str, rate: float, amount: float, moment: datetime) -> Any:
    """Fill an order of a trade the way Freqtrade's backtest does, and return the order."""
    order = Order(
        ft_trade_id=trade.id,
        ft_order_side=side,
        ft_pair=trade.pair,
        ft_is_open=False,
        ft_amount=amount,
        ft_price=rate,
        order_id=f"dry_run_{trade.id}-{len(trade.orders) + 1}",
        status="closed",
        order_type="limit",
        side=side,
        price=rate,
        average=rate,
        amount=amount,
        filled=amount,
        remaining=0.0,
        cost=rate * amount,
        order_date=moment,
        order_filled_date=moment,
    )
    order._trade_bt = trade
    trade.orders.append(order)
    if order.funding_fee is None:
        order.funding_fee = trade.funding_fee_running or 0.0
        trade.funding_fee_running = 0.0
    trade.recalc_trade_from_orders()
    return order


def close_trade(
    trade: Any, rate: float, moment: datetime, *, reason: str = "roi", funding: float = 0.0
) -> Any:
    """Close a trade as Freqtrade's backtest does: its exit order, then the trade; return it."""
    trade.set_funding_fees(funding)
    trade.exit_reason = reason
    trade.close_date = moment
    fill(trade, trade.exit_side, rate, trade.amount, moment)
    trade.close(rate, show_msg=False)
    LocalTrade.close_bt_trade(trade)
    return trade
