"""What a backtest returns for the comparison: its closed trades and their effect on the account."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from freqtrade_mem0.records.decision import AccountState

_LOST_RATIO = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedTrade:
    """A closed trade with Freqtrade's numbers and memory's decision.

    Dates are aware UTC. The stake is that of the first entry, without leverage; stake, profit,
    turnover (of all filled orders) and trading fees are in stake currency. Funding fees are part of
    the profit, which is net of fees; its ratio is relative to the stake. The exposure is the
    position (stake times leverage, at cost) times days held. The multiplier is the stake placed
    over the stake proposed, the forecast the profit ratio that memory expected at the entry. The
    late profit is that of an entry one candle later, with the same stake and exit; None where the
    prices are not known.
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
    late_profit_quote: float | None = None

    @property
    def entry(self) -> tuple[str, str, datetime]:
        """Pair, side and open date, which identify a trade within a run."""
        return self.pair, self.side, self.open_date


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A finished backtest: its trades by open date, and Freqtrade's own metrics by their names.

    Start and end are the first and last candle in aware UTC, `seconds` is the wall time it took.
    The spread on noise is how far memory moves the stakes of these trades, as the root mean square
    of multiplier - 1, where their outcomes are shuffled; None without memory. The account is
    memory's at the last decision; None where the policy keeps none. Ruled are the entries to which
    the rule applied that is tried.
    """

    trades: tuple[ClosedTrade, ...]
    start: datetime
    end: datetime
    starting_balance: float
    stake_currency: str
    timeframe: str = ""
    metrics: Mapping[str, float | None] = field(default_factory=dict)
    seconds: float = 0.0
    spread_on_noise: float | None = None
    account: AccountState | None = None
    n_ruled: int = 0


def not_in(run: Run, other: Run) -> tuple[ClosedTrade, ...]:
    """Return the trades of a run whose entry does not exist in the other run."""
    entries = {trade.entry for trade in other.trades}
    return tuple(trade for trade in run.trades if trade.entry not in entries)


def broke_at(run: Run, other: Run) -> datetime | None:
    """Return when a run had lost its account, where the other run traded on; else None.

    An account is lost if less is left than its smallest proposed stake, or 1 % of its start.
    """
    if not run.trades:
        return None
    left = run.starting_balance + math.fsum(trade.profit_quote for trade in run.trades)
    smallest = min(trade.stake_quote / trade.multiplier for trade in run.trades)
    last = max(trade.close_date for trade in run.trades)
    is_lost = left < max(smallest, _LOST_RATIO * run.starting_balance)
    return last if is_lost and any(trade.open_date > last for trade in other.trades) else None


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
