"""The verdict: each rule, and that it turns on exactly one thing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from freqtrade_mem0.compare.comparison import Comparison, compare
from freqtrade_mem0.compare.statistics.deflated import Deflated
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.worth.bootstrap import Estimate
from freqtrade_mem0.worth.finding import (
    MIN_DAYS,
    MIN_TRADES,
    MIN_TRADING_DAYS,
    Finding,
)
from freqtrade_mem0.worth.random_sizing import ShiftTest
from freqtrade_mem0.worth.timing import TimingTest
from tests.unit.compare.made_runs import a_run, a_trade, two_runs

SHIFTS = ShiftTest(
    p_as_good=0.01,
    p_as_bad=0.99,
    observed=2.0,
    typical=1.0,
    low=-0.3,
    high=0.2,
    n_shifts=359,
    is_complete=True,
)
TIMING = TimingTest(correlation=0.1, p_better=0.01, p_worse=0.99)
UP = Estimate(value=0.8, low=0.2, high=1.4)
DOWN = Estimate(value=-0.8, low=-1.4, high=-0.2)


def decided(c: Comparison, **changes: Any) -> Finding:
    """Return the finding for a comparison that shows help, but for some changes."""
    helped: dict[str, Any] = {"sharpe_difference": UP, "shifts": SHIFTS, "timing": TIMING}
    helped["p_holm"] = 0.01
    return verdict(replace(c, **(helped | changes))).finding


def test_the_best_of_many_settings_has_to_beat_the_best_by_chance(plain: Comparison) -> None:
    """One setting does not; the sentence says how many were tried."""
    many = Deflated(n_tried=30, sharpe=0.1, by_chance=0.08, probability=0.94)

    assert decided(plain, deflated=many) is Finding.NOT_SHOWN
    assert decided(plain, deflated=replace(many, probability=0.95)) is Finding.HELPED
    assert decided(plain, deflated=replace(many, n_tried=1)) is Finding.HELPED
    sentence = verdict(replace(plain, deflated=many)).sentence
    assert "30 settings were tried on this time; the probability that the gain" in sentence
    assert "is 94%." in sentence


def test_help_needs_interval_random_sizing_and_timing(plain: Comparison) -> None:
    """The interval, the random sizing and the timing test: two of them are not enough."""
    assert decided(plain) is Finding.HELPED
    assert decided(plain, sharpe_difference=replace(UP, low=-0.01)) is Finding.NOT_SHOWN
    assert decided(plain, p_holm=0.05) is Finding.NOT_SHOWN
    assert decided(plain, timing=replace(TIMING, p_better=0.05)) is Finding.NOT_SHOWN
    assert decided(plain, shifts=None) is Finding.NOT_SHOWN
    assert decided(plain, timing=None) is Finding.NOT_SHOWN
    assert decided(plain, sharpe_difference=Estimate(value=0.8)) is Finding.NOT_SHOWN


def test_harm_needs_all_three_as_well(plain: Comparison) -> None:
    """The interval below zero, sizes worse than random ones; the number of strategies counts."""
    bad: dict[str, Any] = {
        "sharpe_difference": DOWN,
        "shifts": replace(SHIFTS, p_as_good=0.99, p_as_bad=0.01),
        "timing": replace(TIMING, p_better=0.99, p_worse=0.01),
        "p_holm": 0.99,
    }

    assert decided(plain, **bad) is Finding.HURT
    for name, other in (("sharpe_difference", UP), ("shifts", SHIFTS), ("timing", TIMING)):
        assert decided(plain, **(bad | {name: other})) is Finding.NOT_SHOWN
    assert decided(plain, **bad, n_strategies=6) is Finding.NOT_SHOWN


def test_help_is_corrected_for_the_number_of_strategies(plain: Comparison) -> None:
    """What counts is the corrected p-value, and the sentence gives both."""
    c = replace(plain, sharpe_difference=UP, shifts=SHIFTS, n_strategies=8, p_holm=0.08)

    assert verdict(c).finding is Finding.NOT_SHOWN
    assert "in 1.0% of cases (8.0% corrected for 8 strategies)" in verdict(c).sentence


@pytest.mark.parametrize(
    ("name", "enough"), [("n_trades", MIN_TRADES), ("n_trading_days", MIN_TRADING_DAYS)]
)
@pytest.mark.parametrize("side", ["figures_without", "figures_with"])
def test_too_few_trades_or_days_with_one_claim_nothing(
    plain: Comparison, side: str, name: str, enough: int
) -> None:
    """One less than needed, in either run, is too little data."""
    figures = getattr(plain, side)

    assert decided(plain, **{side: replace(figures, **{name: enough})}) is Finding.HELPED
    assert (
        decided(plain, **{side: replace(figures, **{name: enough - 1})}) is Finding.TOO_LITTLE_DATA
    )


@pytest.mark.parametrize(
    ("days", "expected"), [(MIN_DAYS, Finding.HELPED), (MIN_DAYS - 1, Finding.TOO_LITTLE_DATA)]
)
def test_too_short_a_time_claims_nothing(days: int, expected: Finding) -> None:
    """One day less than needed is too little data."""
    c = compare("S", *two_runs(1, days=days, per_day=5))

    assert decided(c) is expected
    if expected is Finding.TOO_LITTLE_DATA:
        assert verdict(c).sentence.startswith(
            f"Too little data for a finding: 445 trades in {days} days, {days} of them with a "
            "closed trade. At least 100 trades"
        )


def test_nothing_changed_and_no_trades_have_their_own_findings() -> None:
    """Two equal runs and two empty ones have a finding of their own."""
    without, _ = two_runs(1)
    same, empty = compare("S", without, without), compare("S", a_run([]), a_run([]))

    assert verdict(same).finding is Finding.NOTHING_CHANGED
    assert verdict(same).sentence == (
        "Over 360 trades in 120 days, memory changed no stake: both runs are the same."
    )
    assert verdict(empty).finding is Finding.NO_TRADES


def test_the_sentence_has_figure_interval_null_and_claim(plain: Comparison) -> None:
    """Word by word, for each claim there is."""
    c = replace(
        plain,
        sharpe_difference=UP,
        shifts=SHIFTS,
        timing=TIMING,
        p_holm=0.01,
        exposure_ratio=0.8,
    )

    assert verdict(c).sentence == (
        "Over 360 trades in 120 days, memory changed the annual Sharpe ratio by +0.80 (95% "
        "interval +0.20 to +1.40). A random sizing of the same shape does as well in 1.0% of "
        "cases; stakes without foresight are timed as well in 1.0% of cases. The data show that "
        "memory helped in this period. The run with memory had 20% less in the market, which "
        "alone makes profits and losses smaller."
    )
    not_shown = "The data do not show that memory helped or hurt."
    late = verdict(replace(c, timing=replace(TIMING, p_better=0.2))).sentence
    assert f"timed as well in 20% of cases. {not_shown}" in late
    assert verdict(replace(c, p_holm=0.2, exposure_ratio=1.02)).sentence.endswith(not_shown)
    differing = replace(c, only_without=(a_trade(1.0),), only_with=(a_trade(2.0), a_trade(3.0)))
    assert verdict(differing).sentence.endswith(
        " Only in the run without memory: 1 trade; only in the one with memory: 2 trades."
    )
