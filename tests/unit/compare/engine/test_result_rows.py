"""Rows of Freqtrade's result table as trades."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from freqtrade_mem0.compare.engine.result_rows import (
    Openings,
    closed_trade,
    decisions_in,
    number,
)
from freqtrade_mem0.journal.journal import Journal
from tests.support.samples import a_decision, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path

OPENED = datetime(2024, 1, 1, 10, tzinfo=UTC)


def an_order(hour: int, amount: float, price: float, *, entry: bool) -> dict[str, Any]:
    """Return an order as Freqtrade's table holds it."""
    moment = OPENED.replace(hour=hour)
    return {
        "order_filled_timestamp": moment.timestamp() * 1000,
        "ft_is_entry": entry,
        "amount": amount,
        "safe_price": price,
    }


def a_row(**changes: Any) -> dict[str, Any]:
    """Return a row: 10 coins at 20 with leverage 2, sold at 21 six hours later."""
    row = {
        "pair": "ETH/USDT",
        "is_short": False,
        "enter_tag": "dip",
        "exit_reason": "roi",
        "open_date": pd.Timestamp(OPENED),
        "close_date": pd.Timestamp(OPENED.replace(hour=16)),
        "stake_amount": 100.0,
        "leverage": 2.0,
        "profit_ratio": 0.096,
        "profit_abs": 9.59,
        "fee_open": 0.001,
        "fee_close": 0.002,
        "orders": [an_order(10, 10.0, 20.0, entry=True), an_order(16, 10.0, 21.0, entry=False)],
    }
    return row | changes


def test_numbers_come_from_freqtrade_and_its_orders() -> None:
    """Stake, exposure, turnover and fees of a leveraged trade, worked out by hand."""
    trade = closed_trade(a_row(), {})

    assert (trade.pair, trade.side, trade.enter_tag) == ("ETH/USDT", "long", "dip")
    assert trade.stake_quote == pytest.approx(100.0)
    assert trade.exposure_quote_days == pytest.approx(200.0 * 0.25)
    assert trade.turnover_quote == pytest.approx(410.0)
    assert trade.fees_quote == pytest.approx(0.2 + 0.42)
    assert (trade.profit_ratio, trade.profit_quote) == (0.096, 9.59)
    assert (trade.multiplier, trade.forecast_ratio, trade.regime) == (1.0, None, "")


def test_orders_that_were_never_filled_do_not_count() -> None:
    """A cancelled order has no fill time."""
    waiting = an_order(12, 5.0, 19.0, entry=True) | {"order_filled_timestamp": None}
    with_it = closed_trade(a_row(orders=[*a_row()["orders"], waiting]), {})

    assert with_it == closed_trade(a_row(), {})


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_missing_text_is_empty(missing: Any) -> None:
    """Pandas has no text where there is none."""
    assert closed_trade(a_row(enter_tag=missing), {}).enter_tag == ""
    assert number(missing) is None


@pytest.mark.parametrize(
    ("changes", "multiplier"), [({}, 1.2), ({"applied": False}, 1.0)], ids=["applied", "shadow"]
)
def test_decisions_are_found_again_in_the_journal(
    tmp_path: Path, changes: dict[str, Any], multiplier: float
) -> None:
    """Multiplier is the stake placed over the one proposed; in shadow nothing was changed."""
    # The wallet allowed 120 of the 125 that were wanted.
    decision = a_decision(1, stake=120.0, **changes)
    journal = Journal(tmp_path)
    journal.append([decision, a_decision(2)])
    journal.append([opened(decision, a_trade(1, open_date=OPENED))])
    journal.close()

    found = decisions_in(tmp_path)
    trade = closed_trade(a_row(), found)

    assert list(found) == [("ETH/USDT", "long", OPENED)]
    assert trade.multiplier == pytest.approx(multiplier)
    assert trade.regime == "calm uptrend"
    short = closed_trade(a_row(is_short=True), found)
    assert (short.side, short.multiplier) == ("short", 1.0)


def openings(*prices: float) -> Openings:
    """Return the opening prices of hourly candles from 9:00 on, the entry's being the second."""
    dates = pd.date_range(OPENED.replace(hour=9), periods=len(prices), freq="1h")
    return Openings({"ETH/USDT": pd.DataFrame({"date": dates, "open": prices})})


@pytest.mark.parametrize(
    ("is_short", "later", "lost"), [(False, 25.0, 42.0), (True, 25.0, -42.0), (False, 20.0, 0.0)]
)
def test_a_late_entry_buys_less_after_a_rise(is_short: bool, later: float, lost: float) -> None:
    """200 bought 10 coins at 20 and buy 8 at 25; each is sold at 21. A short sells dearer."""
    row = a_row(is_short=is_short, amount=10.0, close_rate=21.0)

    found = closed_trade(row, {}, openings(19.0, 20.0, later, 30.0))

    assert found.late_profit_quote == pytest.approx(9.59 - lost)


def test_a_trade_that_was_closed_by_then_is_not_made() -> None:
    """It makes nothing; and without the price of the next candle nothing is known."""
    row = a_row(amount=10.0, close_rate=21.0, close_date=pd.Timestamp(OPENED.replace(hour=11)))

    assert closed_trade(row, {}, openings(19.0, 20.0, 25.0)).late_profit_quote == 0.0
    assert closed_trade(row, {}, openings(19.0, 20.0)).late_profit_quote is None
    assert closed_trade(row, {}, openings(19.0, 0.0, 25.0)).late_profit_quote is None
    assert closed_trade(row, {}).late_profit_quote is None
