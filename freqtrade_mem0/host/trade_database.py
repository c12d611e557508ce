"""Reads a bot's trade database, through Freqtrade's own session; nothing is written.

Freqtrade has one session per thread. Every statement here is short: while one runs, SQLite allows
no writes, and Freqtrade's loop would wait. Our thread calls `release` after its statements, so that
no transaction stays open.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.host.backtest_state import as_lock
from freqtrade_mem0.records.base import as_utc, to_ms

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from datetime import datetime

    from freqtrade_mem0.risk.event_type import Lock

_COUNTED = 50_000
"""Ids per statement that counts, which reads an index: a millisecond."""

_SUMMED = 5_000
"""Ids per statement that sums, which reads the table: some milliseconds."""

_LOADED = 200
"""Trades per statement that loads them with their orders, about 10 KB each."""

_RATIO_UNIT = 1e9
"""Profit ratios are summed as integers, in billionths: such a sum is exact in any order."""


class TradeKey(NamedTuple):
    """The identity of a trade and its outcome, read from few columns."""

    id: int
    """Freqtrade's id, which it may reuse."""
    pair: str
    side: str
    order_id: str | None
    """Of the first filled entry order, if there is one."""
    profit_ratio: float | None
    close_ms: int | None
    """Milliseconds since 1970 in UTC; None where the row is not complete."""


class ClosedSum(NamedTuple):
    """A number of closed trades, and the sum of their profit ratios in billionths."""

    n: int
    ratios: int

    def plus(self, other: ClosedSum) -> ClosedSum:
        """Return the sum of both."""
        return ClosedSum(self.n + other.n, self.ratios + other.ratios)

    def minus(self, other: ClosedSum) -> ClosedSum:
        """Return the difference."""
        return ClosedSum(self.n - other.n, self.ratios - other.ratios)


NOTHING = ClosedSum(0, 0)


def release() -> None:
    """Close this thread's session. Never call it in Freqtrade's loop, which uses its session."""
    from freqtrade.persistence import Trade

    Trade.session.remove()


def active_bot_locks(moment: datetime) -> list[Lock]:
    """Return the locks in a bot's database that are active at an aware UTC moment."""
    from freqtrade.persistence import PairLocks

    return [as_lock(lock) for lock in PairLocks.get_pair_locks(None, moment)]


def database_birth() -> datetime | None:
    """Return when a bot's database was created, aware UTC; None where this is unknown.

    A user may start with a new database at any time; it does not have earlier trades.
    """
    from freqtrade.persistence.key_value_store import KeyValueStore

    birth: datetime | None = KeyValueStore.get_datetime_value("bot_start_time")
    return None if birth is None else as_utc(birth)


def database_identity() -> str:
    """Return what tells a bot's database from others, wherever it lies and whoever opens it.

    That is the moment of the first start with it: Freqtrade writes it once, to the microsecond, and
    takes it along when it converts a database. "" as long as it is not written.
    """
    birth = database_birth()
    if birth is None:
        return ""
    return sha256(f"database since {birth.isoformat()}".encode()).hexdigest()[:16]


def open_bot_trades() -> list[Any]:
    """Return the open trades in a bot's database."""
    from freqtrade.persistence import Trade

    trades: list[Any] = list(Trade.get_open_trades())
    return trades


def closed_bot_trades(ids: Collection[int]) -> Iterator[list[Any]]:
    """Yield the closed ones of some trades, by id and in portions, each with the oldest first.

    A row without a close date is not complete and comes last. Keep one portion at a time: the
    memory of several is not given back to the system.
    """
    from freqtrade.persistence import Trade

    for some in _portions(ids):
        trades = Trade.get_trades([Trade.id.in_(some), Trade.is_open.is_(False)]).all()
        yield sorted(
            trades, key=lambda t: (t.close_date is None, t.close_date or t.open_date, t.id)
        )


def last_trade_id() -> int:
    """Return the highest trade id; 0 where there is no trade."""
    from freqtrade.persistence import Trade
    from sqlalchemy import func, select

    return Trade.session.scalar(select(func.max(Trade.id))) or 0


def trade_ids_after(last_id: int) -> set[int]:
    """Return the ids of all trades, open and closed, with a higher id."""
    from freqtrade.persistence import Trade
    from sqlalchemy import select

    return set(Trade.session.scalars(select(Trade.id).filter(Trade.id > last_id)))


def n_closed(last_id: int) -> int:
    """Return the number of closed trades with ids up to `last_id`."""
    from freqtrade.persistence import Trade
    from sqlalchemy import func, select

    count = 0
    for low in range(0, last_id, _COUNTED):
        within = (Trade.id > low, Trade.id <= min(low + _COUNTED, last_id))
        query = select(func.count(Trade.id)).filter(Trade.is_open.is_(False), *within)
        count += Trade.session.scalar(query) or 0
    return count


def closed_sum(last_id: int) -> Iterator[ClosedSum]:
    """Yield parts of the sum over the closed trades with ids up to `last_id`."""
    from freqtrade.persistence import Trade

    for low in range(0, last_id, _SUMMED):
        yield _sum_where(Trade.id > low, Trade.id <= min(low + _SUMMED, last_id))


def closed_sum_of(ids: Collection[int]) -> ClosedSum:
    """Return the sum over the closed ones of some trades.

    It changes when a trade is deleted or its profit ratio changes, so comparing sums saves
    comparing trades. Other changes are not noticed.
    """
    from freqtrade.persistence import Trade

    total = NOTHING
    for some in _portions(ids):
        total = total.plus(_sum_where(Trade.id.in_(some)))
    return total


def closed_keys(after_id: int, last_id: int) -> list[TradeKey]:
    """Return the next closed trades with ids after `after_id`, up to `last_id`; [] at the end."""
    from freqtrade.persistence import Trade

    within = (Trade.id > after_id, Trade.id <= last_id, Trade.is_open.is_(False))
    return _keys(*within)


def keys_of(ids: Collection[int]) -> list[TradeKey]:
    """Return those of some trades that exist, open or closed."""
    from freqtrade.persistence import Trade

    return [key for some in _portions(ids) for key in _keys(Trade.id.in_(some))]


def _keys(*conditions: Any) -> list[TradeKey]:
    from freqtrade.persistence import Order, Trade
    from sqlalchemy import select

    columns = (Trade.id, Trade.pair, Trade.is_short, Trade.close_profit, Trade.close_date)
    query = select(*columns).filter(*conditions).order_by(Trade.id).limit(_LOADED)
    rows = Trade.session.execute(query).all()
    ordered = (
        select(Order.ft_trade_id, Order.order_id, Order.ft_order_side)
        .filter(Order.ft_trade_id.in_([row.id for row in rows]), Order.filled > 0)
        .order_by(Order.id.desc())
    )
    # In descending order, so the first order of each side is set last and stays.
    first = {
        (order.ft_trade_id, order.ft_order_side): order.order_id
        for order in Trade.session.execute(ordered)
    }
    return [
        TradeKey(
            id=row.id,
            pair=row.pair,
            side="short" if row.is_short else "long",
            order_id=first.get((row.id, "sell" if row.is_short else "buy")),
            profit_ratio=row.close_profit,
            close_ms=None if row.close_date is None else to_ms(as_utc(row.close_date)),
        )
        for row in rows
    ]


def _sum_where(*conditions: Any) -> ClosedSum:
    from freqtrade.persistence import Trade
    from sqlalchemy import BigInteger, cast, func, select

    ratio = func.coalesce(Trade.close_profit, 0.0)
    query = select(
        func.count(Trade.id), func.coalesce(func.sum(cast(ratio * _RATIO_UNIT, BigInteger)), 0)
    ).filter(Trade.is_open.is_(False), *conditions)
    n, ratios = Trade.session.execute(query).one()
    return ClosedSum(n, int(ratios))


def _portions(ids: Collection[int]) -> Iterator[list[int]]:
    ordered = sorted(ids)
    for first in range(0, len(ordered), _LOADED):
        yield ordered[first : first + _LOADED]
