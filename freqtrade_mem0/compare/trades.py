"""What a backtest hands to the comparison: its closed trades, and the account they moved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A closed trade, as Freqtrade accounts for it, and what memory had to say about it.

    Parameters
    ----------
    pair, side, enter_tag, exit_reason
        As Freqtrade names them; "" where there is none.
    open_date, close_date
        Aware UTC.
    stake_quote
        Of the first entry, in stake currency, without leverage.
    leverage
        1.0 on spot.
    profit_ratio
        After fees, relative to the stake.
    profit_quote
        In stake currency.
    exposure_quote_days
        Position (stake times leverage, at cost) times days held, summed over its size.
    turnover_quote
        Value of all filled orders, entries and exits.
    fees_quote
        Trading fees, in stake currency; funding is in the profit, not in here.
    multiplier
        The stake placed over the stake proposed, after all limits; 1.0 without memory.
    forecast_ratio
        Profit ratio that memory expected when it decided; None where it gave none.
    regime
        The market regime at entry; "" where unknown.
    """

    pair: str
    side: str
    enter_tag: str
    exit_reason: str
    open_date: datetime
    close_date: datetime
    stake_quote: float
    leverage: float
    profit_ratio: float
    profit_quote: float
    exposure_quote_days: float
    turnover_quote: float
    fees_quote: float
    multiplier: float = 1.0
    forecast_ratio: float | None = None
    regime: str = ""

    @property
    def entry(self) -> tuple[str, str, datetime]:
        """What tells this trade from all others of a run: pair, side, open date."""
        return self.pair, self.side, self.open_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One finished backtest.

    Parameters
    ----------
    trades
        In the order they were opened.
    start, end
        Aware UTC; first and last candle of the backtest.
    starting_balance
        In stake currency, > 0.
    stake_currency
        For example "USDT".
    timeframe
        Of its candles, for example "5m".
    metrics
        Freqtrade's own numbers, by its own names; None where it has none.
    seconds
        Wall time of the backtest itself.
    """

    trades: tuple[ClosedTrade, ...]
    start: datetime
    end: datetime
    starting_balance: float
    stake_currency: str
    timeframe: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """A filled order of a trade.

    Parameters
    ----------
    filled_at
        Aware UTC.
    is_entry
        Whether it made the position larger.
    amount
        In base currency.
    price
        In quote currency.
    """

    filled_at: datetime
    is_entry: bool
    amount: float
    price: float


def exposure(orders: tuple[Order, ...], close_date: datetime) -> float:
    """Return the position at cost, integrated over the time it was held.

    An exit takes away its share of the cost. For one entry and one exit this is stake times
    leverage times days.

    Parameters
    ----------
    orders
        Filled orders by time.
    close_date
        Aware UTC; when the last of the position was gone.

    Returns
    -------
    float
        Stake currency times days, >= 0.
    """
    total = amount = cost = 0.0
    last: datetime | None = None
    for order in orders:
        if last is not None:
            total += cost * _days(last, order.filled_at)
        if order.is_entry:
            amount += order.amount
            cost += order.amount * order.price
        elif amount > 0.0:
            left = max(0.0, 1.0 - order.amount / amount)
            amount *= left
            cost *= left
        last = order.filled_at
    if last is not None and amount > 0.0:
        total += cost * max(0.0, _days(last, close_date))
    return total


def _days(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() / 86_400.0
