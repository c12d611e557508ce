"""What a backtest returns for the comparison: its closed trades and their effect on the account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A closed trade with Freqtrade's numbers and memory's decision.

    Parameters
    ----------
    pair, side, enter_tag, exit_reason
        As Freqtrade names them; "" for none.
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
        Trading fees, in stake currency. Funding fees are part of the profit instead.
    multiplier
        Stake placed over stake proposed, after all limits; 1.0 without memory.
    forecast_ratio
        Profit ratio that memory expected at the entry; None without a forecast.
    regime
        Market regime at the entry; "" where unknown.
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
        """Pair, side and open date, which identify a trade within a run."""
        return self.pair, self.side, self.open_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished backtest.

    Parameters
    ----------
    trades
        By open date.
    start, end
        First and last candle of the backtest, aware UTC.
    starting_balance
        In stake currency, > 0.
    stake_currency
        For example "USDT".
    timeframe
        Of the candles, for example "5m".
    metrics
        Freqtrade's own numbers by Freqtrade's names; None where a number does not exist.
    seconds
        Wall time of the backtest.
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
    """A filled order: amount in base currency, price in quote currency, time in aware UTC."""

    filled_at: datetime
    is_entry: bool
    amount: float
    price: float


def exposure(orders: tuple[Order, ...], close_date: datetime) -> float:
    """Return the position at cost, integrated over the days it was held.

    An exit reduces the cost in proportion. For one entry and one exit the result is stake times
    leverage times days.

    Parameters
    ----------
    orders
        Filled orders by time.
    close_date
        End of the trade, aware UTC.
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
