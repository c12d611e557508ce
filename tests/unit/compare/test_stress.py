"""Worse conditions: what higher fees and later entries cost both runs."""

from __future__ import annotations

import pytest

from freqtrade_mem0.compare.stress import stresses
from tests.unit.compare.made_runs import BALANCE, a_run, a_trade

PLAIN = [a_trade(day, 0.01 * (1 + day % 3), late_profit_quote=0.5) for day in range(30)]
SIZED = [a_trade(day, 0.01, multiplier=0.5, late_profit_quote=-0.5) for day in range(30)]


def test_half_of_the_fees_more_are_taken_from_the_profit() -> None:
    """Of each run its own."""
    fees, _ = stresses(a_run(PLAIN, 30), a_run(SIZED, 30))

    profit = sum(trade.profit_quote - 0.5 * trade.fees_quote for trade in PLAIN)
    assert fees.name == "fees_plus_50_percent"
    assert fees.return_without == pytest.approx(profit / BALANCE / 30 * 365)
    assert fees.return_with == pytest.approx(30 * (0.5 - 0.05) / BALANCE / 30 * 365)
    assert fees.sharpe_without is not None
    assert fees.sharpe_with is None  # its returns do not vary


def test_late_entries_have_the_profits_of_the_next_candle() -> None:
    """Of each run its own."""
    _, late = stresses(a_run(PLAIN, 30), a_run(SIZED, 30))

    assert late.name == "entries_one_candle_later"
    assert late.return_without == pytest.approx(30 * 0.5 / BALANCE / 30 * 365)
    assert late.return_with == pytest.approx(30 * -0.5 / BALANCE / 30 * 365)


def test_a_delay_without_prices_is_left_out() -> None:
    """One trade of which they are not known is enough."""
    unknown = [*SIZED[1:], a_trade(0, 0.01)]

    assert [each.name for each in stresses(a_run(PLAIN), a_run(unknown))] == [
        "fees_plus_50_percent"
    ]
