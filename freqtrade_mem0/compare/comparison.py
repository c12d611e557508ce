"""Two runs of one strategy -> everything that is said about their difference."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.compare.statistics.bootstrap import Estimate, estimate
from freqtrade_mem0.compare.statistics.calibration import Calibration, calibration
from freqtrade_mem0.compare.statistics.groups import Group, by_group, pair_of, regime_of, tag_of
from freqtrade_mem0.compare.statistics.multiple import benjamini_hochberg, holm
from freqtrade_mem0.compare.statistics.periods import Period, by_period, spans
from freqtrade_mem0.compare.statistics.returns import (
    DAYS_PER_YEAR,
    Daily,
    close_days,
    daily,
    max_drawdown,
    n_days,
    sharpe,
    sortino,
)
from freqtrade_mem0.compare.statistics.shift_test import ShiftTest, shift_test
from freqtrade_mem0.compare.statistics.timing_test import TimingTest, timing_test
from freqtrade_mem0.compare.trades import Run

if TYPE_CHECKING:
    from collections.abc import Sequence

RETURN_WITHOUT, RETURN_WITH, SQUARE_WITHOUT, SQUARE_WITH, EXPOSED_WITHOUT, EXPOSED_WITH = range(6)
"""Columns whose daily means all figures with intervals are made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What one run adds up to.

    Parameters
    ----------
    n_trades
        Closed trades.
    n_trading_days
        UTC days on which a trade closed.
    total_return
        Profit over the starting balance.
    sharpe, sortino
        Annual, of daily returns; None where they do not exist.
    max_drawdown
        Largest loss from a high, over that high, on daily closes.
    mean_exposure
        Mean position over the starting balance: 0.5 is half the balance in the market all the time.
    return_per_exposure
        Profit per stake currency and day in the market; None without exposure.
    mean_stake_quote
        Of the first entries, in stake currency.
    turnover_quote, fees_quote
        Value of all orders, and their fees, in stake currency.
    """

    n_trades: int
    n_trading_days: int
    total_return: float
    sharpe: float | None
    sortino: float | None
    max_drawdown: float
    mean_exposure: float
    return_per_exposure: float | None
    mean_stake_quote: float
    turnover_quote: float
    fees_quote: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A strategy without and with memory.

    Parameters
    ----------
    strategy
        Class name.
    without, remembered
        The runs.
    figures_without, figures_with
        What they add up to.
    n_common
        Trades that both runs entered at the same time in the same pair and direction.
    n_changed
        Trades whose stake memory changed.
    exposure_ratio
        Exposure with over without memory; None without exposure.
    mean_return
        Difference of annual mean returns, as the runs are, with interval.
    mean_return_equal_exposure
        The same with the run with memory scaled to the exposure of the other.
    sharpe_difference
        Of annual Sharpe ratios, with interval.
    shifts
        The random-sizing null; None where it can not be asked.
    timing
        Whether larger stakes met better trades; None where it can not be asked.
    p_holm, p_bh
        The null's p-value adjusted for the number of strategies compared; None where there is none.
    n_strategies
        How many were compared together.
    periods, pairs, regimes, tags
        Tables.
    calibration
        Forecast against outcome; None where there are too few trades.
    forecast_is_ratio
        Whether the forecast is an expected profit ratio; else the multiplier minus 1 stands for it.
    """

    strategy: str
    without: Run
    remembered: Run
    figures_without: Figures
    figures_with: Figures
    n_common: int
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
    p_holm: float | None = None
    p_bh: float | None = None
    n_strategies: int = 1


def compare(
    strategy: str, without: Run, remembered: Run, *, seed: int = 0, n_periods: int | None = None
) -> Comparison:
    """Compare two runs over the same days.

    Parameters
    ----------
    strategy
        Class name.
    without, remembered
        The same strategy, data and config; only memory differs.
    seed
        The same seed gives the same figures.
    n_periods
        See `periods.spans`.
    """
    before, after = daily(without), daily(remembered)
    columns = _columns(before, after)
    figures = figures_of(without, before), figures_of(remembered, after)
    forecast, is_ratio = _forecasts(remembered)
    entries = {trade.entry for trade in without.trades}
    days = n_days(remembered)
    multipliers = np.array([trade.multiplier for trade in remembered.trades], dtype=np.float64)
    profits = np.array([trade.profit_quote for trade in remembered.trades], dtype=np.float64)
    base = profits / multipliers / remembered.starting_balance
    closed = close_days(remembered.trades, before.first, days)
    parts = spans(before.first, len(before.returns), n_periods)
    return Comparison(
        strategy=strategy,
        without=without,
        remembered=remembered,
        figures_without=figures[0],
        figures_with=figures[1],
        n_common=sum(trade.entry in entries for trade in remembered.trades),
        n_changed=sum(abs(trade.multiplier - 1.0) > 1e-9 for trade in remembered.trades),  # noqa: PLR2004
        exposure_ratio=_ratio(figures[1].mean_exposure, figures[0].mean_exposure),
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
    )


def adjusted(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """Return comparisons with their p-values adjusted for how many there are."""
    asked = [c for c in comparisons if c.shifts is not None]
    p_values = [c.shifts.p_as_good for c in asked if c.shifts is not None]
    corrected = {
        c.strategy: (float(strict), float(mild))
        for c, strict, mild in zip(asked, holm(p_values), benjamini_hochberg(p_values), strict=True)
    }
    results = []
    for c in comparisons:
        strict, mild = corrected.get(c.strategy, (None, None))
        results.append(replace(c, p_holm=strict, p_bh=mild, n_strategies=len(comparisons)))
    return results


def figures_of(run: Run, days: Daily) -> Figures:
    """Return what a run adds up to."""
    trades = run.trades
    exposed = float(days.exposure.sum())
    return Figures(
        n_trades=len(trades),
        n_trading_days=len({trade.close_date.date() for trade in trades}),
        total_return=float(days.returns.sum()),
        sharpe=_finite(sharpe(days.returns)),
        sortino=_finite(sortino(days.returns)),
        max_drawdown=max_drawdown(days.returns),
        mean_exposure=exposed / len(days.returns),
        return_per_exposure=_ratio(float(days.returns.sum()), exposed),
        mean_stake_quote=float(np.mean([t.stake_quote for t in trades])) if trades else 0.0,
        turnover_quote=math.fsum(trade.turnover_quote for trade in trades),
        fees_quote=math.fsum(trade.fees_quote for trade in trades),
    )


def mean_return_difference(means: Any) -> Any:
    """Return the difference of annual mean returns from daily means, shape (..., 6)."""
    return DAYS_PER_YEAR * (means[..., RETURN_WITH] - means[..., RETURN_WITHOUT])


def equal_exposure_difference(means: Any) -> Any:
    """Return that difference with the run with memory scaled to the other's exposure."""
    scale = means[..., EXPOSED_WITHOUT] / means[..., EXPOSED_WITH]
    return DAYS_PER_YEAR * (scale * means[..., RETURN_WITH] - means[..., RETURN_WITHOUT])


def sharpe_difference(means: Any) -> Any:
    """Return the difference of annual Sharpe ratios from daily means."""
    return _sharpe(means, RETURN_WITH, SQUARE_WITH) - _sharpe(means, RETURN_WITHOUT, SQUARE_WITHOUT)


def _sharpe(means: Any, first: int, second: int) -> Any:
    variance = means[..., second] - means[..., first] ** 2
    return math.sqrt(DAYS_PER_YEAR) * means[..., first] / np.sqrt(variance)


def _columns(before: Daily, after: Daily) -> np.ndarray[Any, np.dtype[np.float64]]:
    return np.column_stack(
        [
            before.returns,
            after.returns,
            before.returns**2,
            after.returns**2,
            before.exposure,
            after.exposure,
        ]
    )


def _forecasts(run: Run) -> tuple[np.ndarray[Any, np.dtype[np.float64]], bool]:
    """Return forecasts, and whether they are profit ratios: all of them, or none."""
    stated = [trade.forecast_ratio for trade in run.trades]
    known = [ratio for ratio in stated if ratio is not None]
    if known:
        # Where nothing was known, nothing was expected.
        return np.array([ratio or 0.0 for ratio in stated], dtype=np.float64), True
    return np.array([trade.multiplier - 1.0 for trade in run.trades], dtype=np.float64), False


def _open_days(run: Run) -> np.ndarray[Any, np.dtype[np.int64]]:
    first = run.start.date()
    numbers = [(trade.open_date.date() - first).days for trade in run.trades]
    return np.clip(np.array(numbers, dtype=np.int64), 0, n_days(run) - 1)


def _ratio(value: float, base: float) -> float | None:
    return value / base if base > 0.0 else None


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
