"""Bands hold what they say, and looking each day alarms nobody without a reason."""

from __future__ import annotations

import math
from functools import cache
from statistics import mean

import pytest
from scipy import stats

from freqtrade_mem0.insight.drift.bands import AGES, FIGURES, Bands, bands, figures, left
from freqtrade_mem0.insight.drift.history import DAY_MS, DriftTrade, History
from freqtrade_mem0.insight.drift.slippage import mean_of
from tests.support.drifting import START_DAY, Process

AS_BEFORE = Process()


@cache
def usual() -> Bands:
    """Return the bands of the backtest that most of these tests compare with."""
    return bands(History(AS_BEFORE.trades(400, 1)), [100])


def a_bot(process: Process, seed: int, n_days: int = 365) -> History:
    """Return the first days of a bot."""
    end_ms = (START_DAY + n_days) * DAY_MS
    return History(process.trades(n_days, seed), until_ms=end_ms - 1)


def test_bots_that_are_as_their_backtest_are_inside() -> None:
    """Of 8 backtests with 8 bots each, about 95 % of all figures, at two ages."""
    inside = []
    for seed in range(8):
        found = bands(History(AS_BEFORE.trades(400, 100 + seed)), [30, 200])
        for bot in range(8):
            seen = a_bot(AS_BEFORE, 1_000 + 10 * seed + bot, 200)
            for age in (30, 200):
                values = figures(seen, age)
                inside += [found.by_age[age][n].distance(values[n]) <= 1.0 for n in FIGURES]
    assert 0.92 <= mean(inside) <= 0.98


def test_looking_each_day_alarms_few_of_them() -> None:
    """About one in twenty in a year, on average over backtests: of 120 at most twelve."""
    seen = [a_bot(AS_BEFORE, seed) for seed in range(300, 320)]
    made = [bands(History(AS_BEFORE.trades(400, 100 + seed))) for seed in range(6)]
    assert sum(left(each, bot, 365) is not None for each in made for bot in seen) <= 12


@pytest.mark.parametrize(
    ("figure", "changed"),
    [
        ("win_rate", Process(mean=-0.015)),
        ("profit_ratio", Process(mean=-0.015)),
        ("drawdown_ratio", Process(mean=-0.015)),
        ("trades_a_day", Process(per_day=0.7)),
        ("holding_hours", Process(hold_days=1.0)),
    ],
)
def test_a_bot_that_differs_is_told_of(figure: str, changed: Process) -> None:
    """Within a year; the figure that differs is outside of its band."""
    seen = a_bot(changed, 5)
    assert left(usual(), seen, 365) is not None
    assert usual().by_age[100][figure].distance(figures(seen, 100)[figure]) > 1.0


def test_the_alarm_looks_at_fixed_ages_only() -> None:
    """So it is the same, at the same age, on each day from then on."""
    seen = a_bot(Process(mean=-0.015), 5)
    looks = [left(usual(), seen, age) for age in range(366)]
    first = next(age for age, look in enumerate(looks) if look is not None)
    assert first in AGES
    assert {repr(look) for look in looks[first:]} == {repr(looks[first])}


def test_figures_are_those_of_the_closed_trades() -> None:
    """Each by hand, of the first two days."""
    hour = 3_600_000
    trades = [
        DriftTrade(0, 2 * hour, 0.02, "A/USDT", math.nan),
        DriftTrade(hour, 5 * hour, -0.03, "A/USDT", math.nan),
        DriftTrade(2 * hour, 8 * hour, 0.0, "A/USDT", math.nan),
        DriftTrade(hour, 49 * hour, 0.5, "A/USDT", math.nan),
    ]
    found = figures(History(trades), 2)
    assert found == pytest.approx(
        {
            "win_rate": 1 / 3,
            "profit_ratio": -0.01 / 3,
            "trades_a_day": 1.5,
            "holding_hours": 4.0,
            "drawdown_ratio": 0.03,
        }
    )


def test_a_bot_without_a_trade_has_no_rates() -> None:
    """And nothing is said of them; that there are none is told by the trades a day."""
    late = DriftTrade(0, 99 * DAY_MS, 0.1, "A/USDT", math.nan)
    seen = History([late])
    assert math.isnan(figures(seen, 30)["win_rate"])
    found = left(usual(), seen, 90)
    assert found is not None
    assert set(found.figures) == {"trades_a_day"}


def test_the_mean_slippage_has_students_interval() -> None:
    """As SciPy computes it."""
    values = [0.001, 0.004, -0.002, 0.0005, 0.003]
    found = mean_of(values)
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=1e-4)
