"""Daily returns and their ratios, against NumPy and plain loops."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from freqtrade_mem0.compare.statistics.returns import daily, n_days
from freqtrade_mem0.compare.trades import Order, exposure
from freqtrade_mem0.worth.daily import drawdown, equity, max_drawdown, sharpe, sortino
from tests.unit.compare.made_runs import START, a_run, a_trade


def test_profits_are_booked_on_the_day_the_trade_closed() -> None:
    """Profit and exposure go to the UTC close day, over the starting balance."""
    over_midnight = a_trade(1, 0.05, open_date=START)
    booked = daily(a_run([a_trade(0, 0.01), a_trade(0, -0.03), over_midnight], days=3))

    assert booked.first == date(2024, 1, 1)
    assert booked.returns.tolist() == pytest.approx([-0.002, 0.005, 0.0])
    assert booked.exposure.tolist() == pytest.approx([2 * 100 / 12 / 1000, 100 / 12 / 1000, 0.0])


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (datetime(2024, 1, 3, tzinfo=UTC), 2),
        (datetime(2024, 1, 3, 0, 5, tzinfo=UTC), 3),
        (START, 1),
    ],
)
def test_a_last_candle_at_midnight_begins_no_new_day(end: datetime, expected: int) -> None:
    """A time range of two whole days has two days, though its last candle opens on the third."""
    assert n_days(replace(a_run([]), end=end)) == expected


def test_a_trade_forced_out_at_the_end_counts_on_the_last_day() -> None:
    """A close at the very end, on the next day's midnight, is not lost."""
    last = a_trade(1, 0.02, close_date=START + timedelta(days=2))
    assert daily(a_run([last], days=2)).returns.tolist() == pytest.approx([0.0, 0.002])


def test_sharpe_is_mean_over_deviation() -> None:
    """It equals NumPy's mean over deviation, times the root of 365, at any scale of the bets."""
    returns = np.random.default_rng(3).normal(0.001, 0.01, 200)
    expected = np.mean(returns) / np.std(returns, ddof=0) * np.sqrt(365)

    assert sharpe(returns) == pytest.approx(expected)
    assert sharpe(7.0 * returns) == pytest.approx(expected)
    assert math.isnan(sharpe(np.full(10, 0.01)))
    assert math.isnan(sharpe(np.zeros(10)))


def test_sortino_divides_by_losing_days_alone() -> None:
    """It equals the formula written as a loop; without a losing day there is none."""
    returns = np.random.default_rng(4).normal(0.001, 0.01, 200)
    downside = math.sqrt(sum(value**2 for value in returns if value < 0.0) / len(returns))

    assert sortino(returns) == pytest.approx(np.mean(returns) / downside * math.sqrt(365))
    assert math.isnan(sortino(np.abs(returns)))


def test_drawdown_is_the_loss_from_the_highest_balance() -> None:
    """Each day's drawdown equals a search through all days before it, the start included."""
    returns = np.random.default_rng(5).normal(0.0, 0.02, 100)
    balance = [1.0, *equity(returns)]
    expected = [
        (max(balance[: day + 1]) - balance[day]) / max(balance[: day + 1])
        for day in range(1, len(balance))
    ]

    assert drawdown(returns).tolist() == pytest.approx(expected)
    assert max_drawdown(returns) == pytest.approx(max(expected))
    assert max_drawdown(np.array([0.1, 0.1])) == 0.0


def test_exposure_of_a_simple_trade_is_stake_times_leverage_times_days() -> None:
    """One entry of 200 at leverage 3 held for 36 hours is 900 stake-currency days."""
    entry = Order(filled_at=START, is_entry=True, amount=6.0, price=100.0)
    close = START + timedelta(hours=36)
    leave = Order(filled_at=close, is_entry=False, amount=6.0, price=110.0)

    assert exposure((entry, leave), close) == pytest.approx(200.0 * 3.0 * 1.5)


def test_exposure_follows_additions_and_partial_exits() -> None:
    """A position that is doubled and then halved counts at the size it had."""
    orders = tuple(
        Order(filled_at=START + timedelta(days=day), is_entry=entry, amount=amount, price=price)
        for day, entry, amount, price in (
            (0, True, 1.0, 100.0),
            (1, True, 1.0, 80.0),
            (2, False, 1.0, 120.0),
            (4, False, 1.0, 130.0),
        )
    )
    assert exposure(orders, orders[-1].filled_at) == pytest.approx(100 + 180 + 2 * 90)
    assert exposure((), START) == 0.0
