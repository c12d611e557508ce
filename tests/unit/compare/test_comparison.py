"""The whole comparison of two runs, against its parts."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from freqtrade_mem0.compare.comparison import Comparison, adjusted, compare
from freqtrade_mem0.compare.report.as_json import as_json
from freqtrade_mem0.compare.statistics.multiple import benjamini_hochberg, holm
from freqtrade_mem0.compare.statistics.returns import daily
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.worth.daily import max_drawdown, sharpe, sortino
from freqtrade_mem0.worth.finding import Finding
from tests.unit.compare.made_runs import BALANCE, a_run, a_trade, two_runs


def test_figures_are_those_of_the_daily_returns() -> None:
    """Every figure with memory, against the daily returns and the trades themselves."""
    without, remembered = two_runs(1)
    c = compare("S", without, remembered)
    returns, figures = daily(remembered).returns, c.figures_with

    assert figures.n_trades == 360
    assert figures.total_return == pytest.approx(
        sum(trade.profit_quote for trade in remembered.trades) / BALANCE
    )
    assert figures.sharpe == pytest.approx(sharpe(returns))
    assert figures.sortino == pytest.approx(sortino(returns))
    assert figures.max_drawdown == max_drawdown(returns)
    assert figures.turnover_quote == pytest.approx(
        2.0 * sum(trade.stake_quote for trade in remembered.trades)
    )
    assert c.sharpe_difference.value == pytest.approx(
        sharpe(returns) - sharpe(daily(without).returns)
    )
    assert c.mean_return.value == pytest.approx(
        365 / 120 * (figures.total_return - c.figures_without.total_return)
    )
    assert (c.n_common, c.n_changed) == (360, sum(t.multiplier != 1.0 for t in remembered.trades))


def test_a_smaller_bet_of_the_same_kind_is_no_improvement() -> None:
    """All stakes halved: less loss, but no difference of Sharpe, and none at equal exposure."""
    without, _ = two_runs(2, edge=-0.002)
    halved = [
        replace(
            trade,
            multiplier=0.5,
            stake_quote=trade.stake_quote / 2,
            profit_quote=trade.profit_quote / 2,
            exposure_quote_days=trade.exposure_quote_days / 2,
        )
        for trade in without.trades
    ]
    c = compare("S", without, replace(without, trades=tuple(halved)))

    assert c.exposure_ratio == pytest.approx(0.5)
    assert c.mean_return.value is not None
    assert c.mean_return.value > 0.05
    assert c.mean_return_equal_exposure.value == pytest.approx(0.0, abs=1e-9)
    assert c.sharpe_difference.value == pytest.approx(0.0, abs=1e-9)
    assert verdict(c).finding is Finding.NOT_SHOWN
    assert "The run with memory had 50% less in the market" in verdict(c).sentence


def test_return_at_equal_exposure_scales_the_bets() -> None:
    """It is the difference with the sized profits times the ratio of exposures."""
    without, remembered = two_runs(3, skill=0.5)
    c = compare("S", without, remembered)
    plain, sized = daily(without), daily(remembered)
    scale = plain.exposure.sum() / sized.exposure.sum()
    expected = 365 * np.mean(scale * sized.returns - plain.returns)

    assert c.mean_return_equal_exposure.value == pytest.approx(expected)
    assert c.exposure_ratio == pytest.approx(1.0 / scale)


def test_skill_shows_in_every_part() -> None:
    """Where multipliers lean towards the profits to come, all of it says so."""
    c = compare("S", *two_runs(4, skill=1.0))

    assert c.sharpe_difference.excludes_zero
    assert c.shifts is not None
    assert c.shifts.p_as_good < 0.01
    assert c.calibration is not None
    assert c.calibration.slope.excludes_zero
    assert verdict(c).finding is Finding.HELPED


def test_runs_without_trades_and_with_one_can_be_compared() -> None:
    """Nothing breaks where there is nothing, or next to nothing, to compare."""
    empty, one = a_run([]), a_run([a_trade(3.0)])

    nothing, hardly = compare("S", empty, empty), compare("S", one, one)

    assert nothing.figures_with.sharpe is None
    assert nothing.exposure_ratio is None
    assert nothing.sharpe_difference.value is None
    assert nothing.pairs == ()
    assert hardly.figures_with.n_trades == 1
    assert hardly.shifts is None
    assert hardly.calibration is None


def test_trades_in_one_run_only_are_counted_and_named() -> None:
    """As many trades in both runs can still be other trades; an unchanged stake hides nothing."""
    both, one, other = a_trade(1.0), a_trade(2.0), a_trade(3.0)
    c = compare("S", a_run([both, one]), a_run([both, other]))
    answer = as_json(c)

    assert (c.n_common, c.only_without, c.only_with) == (1, (one,), (other,))
    assert verdict(c).finding is not Finding.NOTHING_CHANGED
    assert [t["open_date"] for t in answer["trades_only_without"]] == [one.open_date.isoformat()]
    assert [t["open_date"] for t in answer["trades_only_with_memory"]] == [
        other.open_date.isoformat()
    ]


@pytest.mark.parametrize("is_memory_lost", [False, True])
def test_a_lost_account_is_not_compared(is_memory_lost: bool) -> None:
    """The side that went broke is named; its exposure says nothing about stakes."""
    good, bad = two_runs(1)
    ruin = [a_trade(day, profit_quote=-190.0) for day in range(5)]
    lost = replace(good, trades=tuple(ruin))
    c = compare("S", good, lost) if is_memory_lost else compare("S", lost, bad)
    said, answer = verdict(c), as_json(c)

    assert said.finding is Finding.BROKE
    which = "with memory" if is_memory_lost else "without memory"
    assert f"The run {which} lost its account: 50.00 of 1,000.00 USDT" in said.sentence
    assert (c.exposure_ratio, c.sharpe_difference.value, c.shifts) == (None, None, None)
    assert answer["broke"]["with_memory" if is_memory_lost else "without"].startswith("2024-01-05")
    assert answer["periods"][0]["exposure_ratio"] is None


def test_an_account_that_both_runs_lost_alike_is_compared() -> None:
    """Nothing was traded on in the other run."""
    ruin = a_run([a_trade(day, profit_quote=-190.0) for day in range(5)])
    assert compare("S", ruin, ruin).is_comparable


def test_the_seed_decides_every_figure(plain: Comparison) -> None:
    """The same seed gives the same figures; another one moves intervals only a little."""
    assert as_json(compare("S", *two_runs(1))) == as_json(plain)
    other = compare("S", *two_runs(1), seed=2).sharpe_difference
    assert other.low != plain.sharpe_difference.low
    assert other.low == pytest.approx(plain.sharpe_difference.low, abs=0.3)


def test_several_strategies_are_corrected_for_their_number(plain: Comparison) -> None:
    """Strategies with a p-value get both corrections; one without trades does not count."""
    first, second = plain, compare("S2", *two_runs(7))
    p_values = [c.shifts.p_as_good for c in (first, second) if c.shifts is not None]

    found = adjusted([first, compare("Empty", a_run([]), a_run([])), second])

    assert [found[0].p_holm, found[2].p_holm] == holm(p_values).tolist()
    assert [found[0].p_bh, found[2].p_bh] == benjamini_hochberg(p_values).tolist()
    assert (found[1].p_holm, found[1].n_strategies) == (None, 3)


def test_without_forecasts_the_multiplier_stands_for_them(plain: Comparison) -> None:
    """A policy without forecasts is calibrated by its multipliers."""
    without, remembered = plain.without, plain.remembered
    blind = tuple(replace(trade, forecast_ratio=None) for trade in remembered.trades)
    c = compare("S", without, replace(remembered, trades=blind))

    assert plain.forecast_is_ratio
    assert not c.forecast_is_ratio
    assert c.calibration is not None


@pytest.mark.parametrize("has_trades", [False, True])
def test_json_is_strict(plain: Comparison, has_trades: bool) -> None:
    """It has no NaN, also where figures do not exist, and names both runs."""
    (c,) = adjusted([plain if has_trades else compare("S", a_run([]), a_run([]))])
    answer = json.loads(json.dumps(as_json(c), allow_nan=False))

    assert answer["strategy"] == "S"
    assert set(answer["figures"]) == set(answer["freqtrade"]) == {"without", "with_memory"}
    assert len(answer["daily"]["date"]) == len(answer["daily"]["return_with_memory"]) == 120
    assert answer["start"].startswith("2024-01-01T00:00:00+00:00")
    assert (answer["random_sizing"] is None) is not has_trades
