"""Which of a bot's orders came to nothing, told from what Freqtrade's database shows."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from freqtrade_mem0.host.order_states import OrderState
from freqtrade_mem0.run.bot.entries.orders import FailedOrder, OrderWatch, Wanted
from tests.support.samples import at

ENTRY = Wanted("ETH/USDT", "long", is_entry=True)
EXIT = Wanted("ETH/USDT", "long", is_entry=False)
MINUTE = timedelta(minutes=1)


def order(row: int = 1, **changes: Any) -> OrderState:
    """Return an entry order that was placed at 0 h, but for some changes."""
    state = OrderState(
        row=row,
        order_id=f"o{row}",
        pair="ETH/USDT",
        side="long",
        is_entry=True,
        is_open=True,
        status="open",
        reason="",
        placed_at=at(0),
        rate=100.0,
        filled_ratio=0.0,
    )
    return state._replace(**changes)


def causes(found: list[FailedOrder]) -> list[tuple[str, str]]:
    """Return what was found, in short."""
    return [(each.order_id, each.cause) for each in found]


def test_an_order_that_is_gone_timed_out_or_was_cancelled() -> None:
    """Freqtrade deletes the trade of an unfilled entry; the time says which it was."""
    for minutes, cause in [(9, "cancelled"), (10, "timed_out")]:
        watch = OrderWatch((600.0, None))
        watch.confirmed(ENTRY, at(0), 100.0)
        assert watch.look([order()], at(0)) == []
        (found,) = watch.look([], at(0) + minutes * MINUTE)
        assert (found.cause, found.opened_nothing, found.rate) == (cause, True, 100.0)
        assert watch.look([], at(2)) == []


def test_cancelled_orders_of_trades_that_stay() -> None:
    """With Freqtrade's reason and the part that was filled; replaced ones are no failures."""
    watch = OrderWatch()
    found = watch.look(
        [
            order(1, is_open=False, status="closed", filled_ratio=1.0),
            order(2, is_open=False, status="canceled", reason="cancelled due to timeout"),
            order(3, is_open=False, status="canceled", filled_ratio=0.5, is_entry=False),
            order(4, is_open=False, status="rejected"),
            order(5, is_open=False, status="canceled", reason="cancelled to be replaced by new"),
            order(6),
        ],
        at(1),
    )
    assert causes(found) == [("o2", "timed_out"), ("o3", "cancelled"), ("o4", "rejected")]
    assert [each.filled_ratio for each in found] == [0.0, 0.5, 0.0]
    assert not any(each.opened_nothing for each in found)
    assert watch.after_row == 5


def test_a_cancelled_order_is_told_once_beside_an_open_one() -> None:
    """As long as an older one is open, later ones are read again."""
    watch = OrderWatch()
    states = [order(1), order(2, is_open=False, status="canceled")]
    assert causes(watch.look(states, at(0))) == [("o2", "cancelled")]
    assert watch.after_row == 0
    assert watch.look(states, at(1)) == []
    assert causes(watch.look(states[1:], at(2))) == [("o1", "cancelled")]


def test_what_is_confirmed_and_has_no_order_was_not_placed() -> None:
    """Once, however often it is tried; the last record has the count."""
    watch = OrderWatch()
    for second in range(0, 120, 5):
        moment = at(0) + timedelta(seconds=second)
        watch.confirmed(ENTRY, moment, 100.0)
        found = watch.look([], moment)
        assert [each.cause for each in found] == (["not_placed"] if second == 30 else [])
    (last,) = watch.look([], at(0) + 10 * MINUTE)
    assert (last.n, last.opened_nothing) == (24, False)
    assert watch.look([], at(1)) == []


def test_an_order_that_is_there_is_no_failure() -> None:
    """Filled at once, open from before, or placed a moment earlier by the exchange's clock."""
    for state in (
        order(is_open=False, status="closed", filled_ratio=1.0),
        order(placed_at=at(-5)),
        order(placed_at=at(0) - MINUTE),
    ):
        watch = OrderWatch()
        watch.confirmed(ENTRY, at(0), 100.0)
        watch.look([state], at(0) + 2 * MINUTE)
        assert watch.look([state], at(0) + 3 * MINUTE) == []


def test_an_exit_without_an_order_is_one_too() -> None:
    """The entry's order does not stand for it."""
    watch = OrderWatch()
    watch.confirmed(EXIT, at(1), 90.0)
    filled = order(is_open=False, status="closed", filled_ratio=1.0)
    (found,) = watch.look([filled], at(1) + MINUTE)
    assert (found.wanted, found.cause) == (EXIT, "not_placed")
