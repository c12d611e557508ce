"""A bot's trade database, made and filled by Freqtrade's own code, as the host reads it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import Order, PairLocks, Trade
from freqtrade.persistence.key_value_store import KeyValueStore
from freqtrade.persistence.models import init_db

from freqtrade_mem0.host.freqtrade import database_lasts
from freqtrade_mem0.host.trade_database import (
    NOTHING,
    active_bot_locks,
    closed_bot_trades,
    closed_keys,
    closed_sum,
    closed_sum_of,
    database_birth,
    database_identity,
    keys_of,
    last_trade_id,
    n_closed,
    open_bot_trades,
    trade_ids_after,
)
from freqtrade_mem0.records.base import as_utc, to_ms
from freqtrade_mem0.records.from_trade import trade_id_of, trade_identity, trade_record
from tests.support.samples import NOTED, ORIGIN, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime


@pytest.fixture(autouse=True)
def _database() -> Iterator[None]:
    """A new database in memory; Freqtrade's switch to it is taken back afterwards."""
    uses_db = Trade.use_db
    init_db("sqlite://")
    Trade.use_db = True
    KeyValueStore.store_value("bot_start_time", at(-1))
    yield
    Trade.session.remove()
    Trade.use_db = uses_db


def an_order(trade: Any, side: str, rate: float, moment: datetime) -> Order:
    """Return a filled order of a trade."""
    return Order(
        ft_order_side=side,
        ft_pair=trade.pair,
        ft_is_open=False,
        ft_amount=0.05,
        ft_price=rate,
        order_id=f"{side}-{trade.pair}-{moment:%H%M}",
        status="closed",
        order_type="limit",
        side=side,
        price=rate,
        average=rate,
        amount=0.05,
        filled=0.05,
        remaining=0.0,
        cost=rate * 0.05,
        order_date=moment,
        order_filled_date=moment,
    )


def opened(hours: float, pair: str = "ETH/USDT") -> Any:
    """Store an open trade and return it."""
    trade = Trade(
        exchange="binance",
        pair=pair,
        base_currency="ETH",
        stake_currency="USDT",
        open_rate=2_000.0,
        open_date=at(hours),
        stake_amount=100.0,
        amount=0.05,
        amount_requested=0.05,
        fee_open=0.001,
        fee_close=0.001,
        is_open=True,
        leverage=1.0,
        enter_tag="dip",
        strategy="Sample",
    )
    trade.orders.append(an_order(trade, "buy", 2_000.0, at(hours)))
    Trade.session.add(trade)
    trade.recalc_trade_from_orders()
    Trade.commit()
    return trade


def closed(trade: Any, hours: float, rate: float = 2_100.0) -> Any:
    """Close a stored trade and return it."""
    trade.exit_reason = "roi"
    trade.orders.append(an_order(trade, "sell", rate, at(hours)))
    trade.close_date = at(hours)
    trade.close(rate, show_msg=False)
    Trade.commit()
    return trade


def ids(trades: list[Any]) -> list[str]:
    """Return the record ids of trades, in order."""
    return [trade_id_of(trade, ORIGIN) for trade in trades]


def test_open_and_closed_trades_are_told_apart() -> None:
    """Closed ones oldest first, and counted."""
    late, early, still_open = (opened(hours) for hours in (1, 2, 3))
    closed(late, 9)
    closed(early, 5)

    asked = {late.id, early.id, still_open.id, 99}
    assert [ids(each) for each in closed_bot_trades(asked)] == [ids([early, late])]
    assert ids(open_bot_trades()) == ids([still_open])
    assert n_closed(last_trade_id()) == 2
    assert trade_ids_after(late.id) == {early.id, still_open.id}


def test_closed_trades_are_loaded_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """By id, so that no more of them than wanted are in memory at once."""
    monkeypatch.setattr("freqtrade_mem0.host.trade_database._LOADED", 2)
    trades = [closed(opened(hours), 20 - hours) for hours in range(5)]

    portions = [ids(each) for each in closed_bot_trades({trade.id for trade in trades})]
    assert portions == [ids(trades[1::-1]), ids(trades[3:1:-1]), ids(trades[4:])]


def test_keys_tell_trades_by_few_columns() -> None:
    """The same record's id, number and time as the whole trade; the open one by its entry alone."""
    trades = [closed(opened(1), 5), opened(2), closed(opened(3), 4)]
    first, last = closed_keys(0, trades[2].id)

    assert [first.id, last.id] == [trades[0].id, trades[2].id]
    assert closed_keys(first.id, trades[2].id) == [last]
    assert closed_keys(last.id, trades[2].id) == []
    for trade, key in zip(trades, keys_of([trade.id for trade in trades]), strict=True):
        assert key.order_id is not None
        assert trade_identity(ORIGIN, key.pair, key.side, key.order_id) == trade_id_of(
            trade, ORIGIN
        )
    record = trade_record(trades[0], ORIGIN, NOTED)
    assert (first.profit_ratio, first.close_ms) == (record.profit_ratio, to_ms(record.known_at))


def test_a_sum_tells_whether_closed_trades_are_the_same() -> None:
    """Any order, any portions; a changed ratio or a deleted trade changes it."""
    trades = [closed(opened(hour), hour + 1, 2_000.0 + hour) for hour in range(1, 5)]
    whole = closed_sum_of([trade.id for trade in trades])
    parts = NOTHING
    for trade in reversed(trades):
        parts = parts.plus(closed_sum_of([trade.id]))
    assert parts == whole == next(closed_sum(last_trade_id()))
    trades[0].close_profit += 1e-6
    Trade.commit()
    changed = closed_sum_of([trade.id for trade in trades])
    trades[1].delete()
    difference = changed.minus(whole)
    assert difference.n == 0
    assert difference.ratios == pytest.approx(1_000, abs=1)
    assert closed_sum_of([trade.id for trade in trades[2:]]).n == 2


def test_a_database_knows_since_when_it_is_complete() -> None:
    """The moment of the bot's first start with it."""
    birth = database_birth()

    assert birth is not None
    assert as_utc(birth) == at(-1)


def test_a_database_is_known_by_what_is_in_it() -> None:
    """The first start's moment, to the microsecond; before it nothing tells it from others."""
    identities = {database_identity()}
    for microseconds in (0, 1, 1):
        KeyValueStore.store_value("bot_start_time", at(5) + timedelta(microseconds=microseconds))
        identities.add(database_identity())
    assert len(identities) == 3
    KeyValueStore.delete_value("bot_start_time")
    assert database_identity() == ""


@pytest.mark.parametrize(
    ("url", "lasts"),
    [
        ("sqlite:///tradesv3.sqlite", True),
        ("sqlite:////freqtrade/user_data/tradesv3.sqlite", True),
        ("postgresql+psycopg://me:secret@host/trades", True),
        ("sqlite://", False),
        ("sqlite:///:memory:", False),
        (None, False),
    ],
)
def test_a_database_in_memory_does_not_last(url: str | None, lasts: bool) -> None:
    """Any other outlives the process."""
    assert database_lasts({"db_url": url}) is lasts


def test_a_closed_trade_of_the_database_has_freqtrades_numbers() -> None:
    """The record says what Freqtrade's own report says."""
    trade = closed(opened(1), 5)
    record = trade_record(trade, ORIGIN, NOTED)
    reported = trade.to_json()

    names = ("profit_ratio", "profit_abs", "amount", "stake_amount", "open_rate", "close_rate")
    assert {n: getattr(record, n) for n in names} == {n: reported[n] for n in names}
    assert (record.known_at, record.open_date) == (at(5), at(1))


def test_locks_are_read_as_long_as_they_last() -> None:
    """Those by protections and others, in UTC; what is over is left out."""
    uses_db, timeframe = PairLocks.use_db, PairLocks.timeframe
    PairLocks.use_db, PairLocks.timeframe = True, "5m"
    try:
        PairLocks.lock_pair("*", at(3), "2 stoplosses in 60 min, locking for 3 h.", now=at(1))
        PairLocks.lock_pair("ETH/USDT", at(2), "Auto lock", now=at(1), side="long")
        found = [(lock.pair, lock.side, lock.since) for lock in active_bot_locks(at(1.5))]
        assert found == [("*", "*", at(1)), ("ETH/USDT", "long", at(1))]
        (lock,) = active_bot_locks(at(2.5))
        assert (lock.until, lock.reason[-16:]) == (at(3) + timedelta(minutes=5), "locking for 3 h.")
    finally:
        PairLocks.use_db, PairLocks.timeframe = uses_db, timeframe
