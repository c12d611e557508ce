"""What a bot's record says of its orders: asked rates, slippage, asked and refused exits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.records.codec import content_hash, decode, encode
from freqtrade_mem0.records.execution import Execution
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.bot.entries.exits import AskedExit
from tests.support.samples import OrderStandIn, TradeStandIn, a_trade, at
from tests.support.session_stage import SITUATION, Stage, a_stage, proposal

if TYPE_CHECKING:
    from freqtrade_mem0.run.bot.session import BotSession


def asked(rate: float = 110.0, reason: str = "roi", *, is_confirmed: bool = True) -> AskedExit:
    """Return an exit that Freqtrade asked for."""
    return AskedExit(reason, rate, at(1), SITUATION, is_confirmed)


def opened(stage: Stage[BotSession], filled: float = 100.0, side: str = "long") -> TradeStandIn:
    """Walk a trade through its entry, ordered at 100 and filled at a price."""
    buys, sells = ("buy", "sell") if side == "long" else ("sell", "buy")
    trade = TradeStandIn(
        trade_direction=side,
        entry_side=buys,
        orders=[OrderStandIn("dry_run_entry-1", buys, safe_price=filled)],
    )
    stage.session.decide(proposal(side=side))
    stage.session.entry_confirmed("ETH/USDT", side)
    stage.session.entry_filled(trade)
    trade.exit_side = sells  # type: ignore[attr-defined]
    return trade


def closed(trade: TradeStandIn, price: float, reason: str = "roi", side: str = "") -> TradeStandIn:
    """Fill the exit order of a trade, ordered at 110, and close it."""
    side = side or trade.exit_side  # type: ignore[attr-defined]
    trade.orders.append(OrderStandIn("dry_run_exit-1", side, safe_price=price, ft_price=110.0))
    return trade.close(0.05, reason=reason)


def record_of(stage: Stage[BotSession]) -> TradeRecord:
    """Return the last record of a trade that was written."""
    record = stage.written(TradeRecord)[-1]
    assert isinstance(record, TradeRecord)
    return record


@pytest.mark.parametrize(
    ("side", "entry", "entry_cost", "fill", "exit_cost"),
    [
        ("long", 101.0, 0.01, 108.9, 0.01),
        ("long", 99.0, -0.01, 112.2, -0.02),
        ("short", 99.0, 0.01, 111.1, 0.01),
        ("short", 102.0, -0.02, 108.9, -0.01),
    ],
)
def test_slippage_is_positive_where_it_costs(
    side: str, entry: float, entry_cost: float, fill: float, exit_cost: float
) -> None:
    """Bought dearer, or sold cheaper, than ordered."""
    stage = a_stage()
    trade = opened(stage, entry, side)
    stage.session.exit_asked(trade, asked(110.0))
    stage.session.trade_closed(closed(trade, fill))

    seen = record_of(stage).execution
    assert seen is not None
    assert (seen.entry_rate, seen.exit_rate) == (100.0, 110.0)
    assert seen.entry_slippage == pytest.approx(entry_cost)
    assert seen.exit_slippage == pytest.approx(exit_cost)
    assert (seen.asked_reason, seen.asked_rate, seen.asked_at) == ("roi", 110.0, at(1))
    assert (seen.asked_situation, seen.n_asked, seen.n_refused) == (SITUATION, 1, 0)


def test_asked_and_refused_exits_are_counted() -> None:
    """The last one is the exit as it was decided."""
    stage = a_stage()
    trade = opened(stage)
    for rate in (105.0, 106.0):
        stage.session.exit_asked(trade, asked(rate, "exit_signal", is_confirmed=False))
    stage.session.exit_asked(trade, asked(110.0))  # its order timed out
    stage.session.exit_asked(trade, asked(109.0))
    stage.session.trade_closed(closed(trade, 109.0))

    seen = record_of(stage).execution
    assert seen is not None
    assert (seen.n_asked, seen.n_refused, seen.asked_rate) == (4, 2, 109.0)


def test_a_stop_that_sold_instead_costs_against_its_own_price() -> None:
    """What was asked for and refused is told beside it."""
    stage = a_stage()
    trade = opened(stage)
    stage.session.exit_asked(trade, asked(120.0, is_confirmed=False))
    stage.session.trade_closed(closed(trade, 104.5, "stoploss_on_exchange", "stoploss"))

    seen = record_of(stage).execution
    assert seen is not None
    assert seen.exit_rate == 110.0
    assert seen.exit_slippage == pytest.approx(0.05)
    assert (seen.asked_reason, seen.asked_rate, seen.n_refused) == ("roi", 120.0, 1)


def test_partial_exits_and_unfilled_orders_do_not_count() -> None:
    """The first entry order and the last exit order do."""
    stage = a_stage()
    trade = opened(stage, 101.0)
    trade.orders += [
        OrderStandIn("dry_run_entry-2", "buy", safe_price=90.0, ft_price=80.0),
        OrderStandIn("dry_run_exit-0", "sell", safe_price=50.0, ft_price=80.0),
        OrderStandIn("dry_run_exit-9", "sell", safe_filled=0.0, safe_price=1.0),
    ]
    stage.session.trade_closed(closed(trade, 110.0))

    seen = record_of(stage).execution
    assert seen == Execution(
        entry_rate=100.0, entry_slippage=0.01, exit_rate=110.0, exit_slippage=0.0
    )


def test_a_trade_without_an_exit_order_has_no_slippage_there() -> None:
    """A liquidation, for example."""
    stage = a_stage()
    trade = opened(stage)
    stage.session.trade_closed(trade.close(-0.9, reason="liquidation"))

    assert record_of(stage).execution == Execution(entry_rate=100.0, entry_slippage=0.0)


def test_records_of_earlier_versions_are_not_written_again() -> None:
    """A look at the database after an upgrade corrects nothing."""
    stage = a_stage()
    trade = closed(opened(stage), 110.0)
    stage.session.trade_closed(trade)
    old = replace(record_of(stage), execution=None)
    later = a_stage()
    later.session.remember_earlier(placed=[], opened={}, recorded=[old])
    later.session.trades_closed([trade])

    assert later.written(TradeRecord) == []


def test_what_was_seen_outlasts_later_looks_at_the_trade() -> None:
    """A reconciliation changes nothing, and a corrected number keeps the exit."""
    stage = a_stage()
    trade = opened(stage)
    stage.session.exit_asked(trade, asked(110.0))
    stage.session.trade_closed(closed(trade, 110.0))
    seen = record_of(stage).execution

    stage.session.trades_closed([trade])
    assert len(stage.written(TradeRecord)) == 1
    trade.fee_close = 0.002
    stage.session.trades_closed([trade])
    assert len(stage.written(TradeRecord)) == 2
    assert record_of(stage).execution == seen


def test_trades_can_be_found_by_their_slippage() -> None:
    """In Mem0; what is not known is left out."""
    keys = a_trade(execution=Execution(exit_slippage=0.002, n_refused=3)).filter_keys()

    assert (keys["exit_slippage"], keys["n_exits_refused"]) == (0.002, 3)
    assert "entry_slippage" not in keys
    assert "n_exits_refused" not in a_trade().filter_keys()


def test_what_was_seen_is_kept_by_a_later_version_without_it() -> None:
    """An import of the bot's database has right numbers, and saw no order."""
    seen = Execution(entry_rate=100.0, exit_rate=110.0, exit_slippage=0.001, n_asked=2)
    known, read_again = a_trade(execution=seen), a_trade(fee_close=0.002, decision_id="d-1")

    assert read_again.keeping(known).execution == seen
    assert read_again.keeping(known).fee_close == 0.002
    assert known.keeping(read_again).execution == seen


def test_records_survive_json_with_and_without_it() -> None:
    """A record of an earlier version has the same hash as one that saw nothing."""
    plain = a_trade()
    seen = replace(plain, execution=Execution(asked_at=at(3), asked_situation={"ADX(14)": 3.5}))
    old = encode(plain).replace(',"execution":null', "")

    assert decode("trade", encode(seen)) == seen
    assert decode("trade", old) == plain
    assert content_hash(seen) != content_hash(plain)
