"""Compares two runs of one strategy: all figures, intervals and tests of their difference."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.compare.figures import Figures, figures_of, ratio
from freqtrade_mem0.compare.statistics.calibration import Calibration, calibration
from freqtrade_mem0.compare.statistics.deflated import Deflated
from freqtrade_mem0.compare.statistics.groups import Group, by_group, pair_of, regime_of, tag_of
from freqtrade_mem0.compare.statistics.multiple import benjamini_hochberg, holm
from freqtrade_mem0.compare.statistics.periods import Period, by_period, spans
from freqtrade_mem0.compare.statistics.returns import close_days, daily, n_days
from freqtrade_mem0.compare.stress import Stress, stresses
from freqtrade_mem0.compare.trades import ClosedTrade, Run, broke_at, not_in
from freqtrade_mem0.worth.bootstrap import Estimate, estimate
from freqtrade_mem0.worth.differences import (
    daily_columns,
    equal_exposure_difference,
    mean_return_difference,
    sharpe_difference,
)
from freqtrade_mem0.worth.random_sizing import ShiftTest, shift_test
from freqtrade_mem0.worth.timing import TimingTest, timing_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    Floats = np.ndarray[Any, np.dtype[np.float64]]

_UNCHANGED = 1e-9
"""A multiplier closer to 1 than this changed no stake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A strategy without and with memory: the runs, their figures, and tests of the difference.

    Common trades were entered at the same time in the same pair and direction in both runs; changed
    ones have another stake with memory. Where one run lost its account and the other traded on,
    nothing is compared: `broke_without` or `broke_with` says when. The exposure ratio is the
    exposure with over without memory. `mean_return` and `sharpe_difference` are differences of
    annual figures. The forecast that is calibrated is an expected profit ratio, or the multiplier
    minus 1. The spread is how far stakes were moved: the root mean square of multiplier minus 1.
    `p_holm` and `p_bh` are the shift test's p-value, corrected for the number of strategies, and
    `deflated` judges the gain by the number of settings that were tried. What can not be computed
    is None.
    """

    strategy: str
    without: Run
    remembered: Run
    figures_without: Figures
    figures_with: Figures
    n_common: int
    only_without: tuple[ClosedTrade, ...]
    only_with: tuple[ClosedTrade, ...]
    broke_without: datetime | None
    broke_with: datetime | None
    n_changed: int
    exposure_ratio: float | None
    mean_return: Estimate
    mean_return_equal_exposure: Estimate
    sharpe_difference: Estimate
    shifts: ShiftTest | None
    timing: TimingTest | None
    periods: tuple[Period, ...]
    pairs: tuple[Group, ...]
    regimes: tuple[Group, ...]
    tags: tuple[Group, ...]
    calibration: Calibration | None
    forecast_is_ratio: bool
    spread: float | None = None
    stresses: tuple[Stress, ...] = ()
    deflated: Deflated | None = None
    p_holm: float | None = None
    p_bh: float | None = None
    n_strategies: int = 1

    @property
    def is_comparable(self) -> bool:
        """Whether both runs had an account to trade with."""
        return self.broke_without is None and self.broke_with is None

    @property
    def n_days(self) -> int:
        """Number of UTC days of both runs."""
        return n_days(self.without)

    @property
    def gain(self) -> Floats | None:
        """The daily returns with memory, at equal exposure, less those without it."""
        if not self.exposure_ratio:
            return None
        after: Floats = daily(self.remembered).returns / self.exposure_ratio
        return after - daily(self.without).returns

    @property
    def has_trades(self) -> bool:
        """Whether either run closed a trade."""
        return bool(self.without.trades or self.remembered.trades)


def compare(
    strategy: str, without: Run, remembered: Run, *, seed: int = 0, n_periods: int | None = None
) -> Comparison:
    """Compare two runs over the same days.

    Parameters
    ----------
    strategy
        Class name.
    without, remembered
        Runs of the same strategy on the same data with the same config, except for memory.
    seed
        The same seed gives the same figures.
    n_periods
        See `periods.spans`.
    """
    before, after = daily(without), daily(remembered)
    columns = daily_columns(before, after)
    figures = figures_of(without, before), figures_of(remembered, after)
    forecast, is_ratio = _forecasts(remembered)
    entries = {trade.entry for trade in without.trades}
    days = n_days(remembered)
    multipliers = np.array([trade.multiplier for trade in remembered.trades], dtype=np.float64)
    profits = np.array([trade.profit_quote for trade in remembered.trades], dtype=np.float64)
    base = profits / multipliers / remembered.starting_balance
    closed = close_days(remembered.trades, before.first, days)
    parts = spans(before.first, len(before.returns), n_periods)
    comparison = Comparison(
        strategy=strategy,
        without=without,
        remembered=remembered,
        figures_without=figures[0],
        figures_with=figures[1],
        n_common=sum(trade.entry in entries for trade in remembered.trades),
        only_without=not_in(without, remembered),
        only_with=not_in(remembered, without),
        broke_without=broke_at(without, remembered),
        broke_with=broke_at(remembered, without),
        n_changed=int(np.sum(np.abs(multipliers - 1.0) > _UNCHANGED)),
        exposure_ratio=ratio(figures[1].mean_exposure, figures[0].mean_exposure),
        mean_return=estimate(columns, mean_return_difference, seed=seed),
        mean_return_equal_exposure=estimate(columns, equal_exposure_difference, seed=seed),
        sharpe_difference=estimate(columns, sharpe_difference, seed=seed),
        shifts=shift_test(base, multipliers, closed, n_days=days, seed=seed),
        timing=timing_test(base, multipliers, closed, n_days=days, seed=seed),
        periods=tuple(by_period(before, after, parts)),
        pairs=tuple(by_group(without, remembered, pair_of, seed=seed)),
        regimes=tuple(by_group(without, remembered, regime_of(remembered), seed=seed)),
        tags=tuple(by_group(without, remembered, tag_of, seed=seed)),
        calibration=calibration(
            forecast,
            np.array([trade.profit_ratio for trade in remembered.trades], dtype=np.float64),
            _open_days(remembered),
            n_days=days,
            seed=seed,
        ),
        forecast_is_ratio=is_ratio,
        spread=float(np.sqrt(np.mean((multipliers - 1.0) ** 2))) if len(multipliers) else None,
        stresses=stresses(without, remembered),
    )
    return comparison if comparison.is_comparable else _not_compared(comparison)


def _not_compared(c: Comparison) -> Comparison:
    """Return a comparison without what compares a run with an account that was lost."""
    nothing = Estimate(value=None, low=None, high=None)
    return replace(
        c,
        exposure_ratio=None,
        mean_return=nothing,
        mean_return_equal_exposure=nothing,
        sharpe_difference=nothing,
        shifts=None,
        timing=None,
        stresses=(),
        periods=tuple(replace(period, exposure_ratio=math.nan) for period in c.periods),
    )


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return the comparisons with p-values corrected for their number."""
    tested = {c.strategy: c.shifts.p_as_good for c in comparisons if c.shifts is not None}
    p_values = list(tested.values())
    p_holm = dict(zip(tested, holm(p_values).tolist(), strict=True))
    p_bh = dict(zip(tested, benjamini_hochberg(p_values).tolist(), strict=True))
    return [
        replace(
            c,
            p_holm=p_holm.get(c.strategy),
            p_bh=p_bh.get(c.strategy),
            n_strategies=len(comparisons),
        )
        for c in comparisons
    ]


def _forecasts(run: Run) -> tuple[Floats, bool]:
    """Return the forecasts and whether they are profit ratios: either all are, or none is."""
    forecasts = [trade.forecast_ratio for trade in run.trades]
    if any(forecast is not None for forecast in forecasts):
        # A trade without a forecast had an expected profit of 0.
        return np.array([forecast or 0.0 for forecast in forecasts], dtype=np.float64), True
    return np.array([trade.multiplier - 1.0 for trade in run.trades], dtype=np.float64), False


def _open_days(run: Run) -> np.ndarray[Any, np.dtype[np.int64]]:
    first = run.start.date()
    numbers = [(trade.open_date.date() - first).days for trade in run.trades]
    return np.clip(np.array(numbers, dtype=np.int64), 0, n_days(run) - 1)
