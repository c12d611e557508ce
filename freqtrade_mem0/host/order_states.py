"""Reads the orders of a bot's trade database: which are open, and which came to nothing.

It is called as the functions of `trade_database` are, and released with them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.records.base import as_utc

if TYPE_CHECKING:
    from datetime import datetime

_MOST = 5_000


class OrderState(NamedTuple):
    """An entry or exit order as Freqtrade's database has it; orders of stops are left out."""

    row: int
    order_id: str
    pair: str
    side: str
    is_entry: bool
    is_open: bool
    status: str
    reason: str
    """Freqtrade's words for why it was cancelled; "" if it was not."""
    placed_at: datetime
    rate: float
    filled_ratio: float


def last_order() -> int:
    """Return the highest row of an order; 0 where there is none."""
    from freqtrade.persistence import Order, Trade
    from sqlalchemy import func, select

    return Trade.session.scalar(select(func.max(Order.id))) or 0


def order_states(after_row: int) -> list[OrderState]:
    """Return the entry and exit orders in higher rows, oldest first."""
    from freqtrade.persistence import Order, Trade
    from sqlalchemy import select

    columns = (Order.id, Order.order_id, Order.ft_order_side, Order.ft_is_open, Order.status)
    more = (Order.ft_cancel_reason, Order.order_date, Order.ft_price, Order.ft_amount)
    query = (
        select(*columns, *more, Order.filled, Trade.pair, Trade.is_short)
        .join(Trade, Order.ft_trade_id == Trade.id)
        .filter(Order.id > after_row, Order.ft_order_side.in_(["buy", "sell"]))
        .order_by(Order.id)
        .limit(_MOST)
    )
    return [
        OrderState(
            row=row.id,
            order_id=row.order_id,
            pair=row.pair,
            side="short" if row.is_short else "long",
            is_entry=(row.ft_order_side == "sell") == bool(row.is_short),
            is_open=bool(row.ft_is_open),
            status=row.status or "",
            reason=row.ft_cancel_reason or "",
            placed_at=as_utc(row.order_date),
            rate=float(row.ft_price or 0.0),
            filled_ratio=min(1.0, float(row.filled or 0.0) / float(row.ft_amount or math.inf)),
        )
        for row in Trade.session.execute(query)
        if row.order_date is not None
    ]
