"""Daily figures of two ways to stake, and how far random sizing would have come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.views.columns.equity import N_POINTS, decided_of
from freqtrade_mem0.worth.daily import DAYS_PER_YEAR, by_day, sharpe
from freqtrade_mem0.worth.stakes import Stakes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from freqtrade_mem0.views.columns.table import Table

Band = tuple[list[int], list[float], list[float]]

_DAY_MS = 86_400_000
_EPOCH = date(1970, 1, 1)
_MOST_DAYS = 20_000
_MIDDLE = (0.025, 0.975)
_MOST_STEPS = 20_000_000
"""Trades times shifts of a band: about two seconds."""
_MOST_SHIFTS, _LEAST_SHIFTS = 200, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DailyFigures:
    """Figures of one way to stake, from its daily profits."""

    profit: float
    sharpe: float | None
    best_day: float
    worst_day: float
    drawdown: float
    """The largest fall from an earlier high of the profit, in stake currency."""


def stakes(table: Table, rows: NDArray[np.intp]) -> Stakes | None:
    """Return the stakes of those trades that memory decided about; None where there is none.

    To be called under the book's lock.
    """
    base, size, decided = decided_of(table, rows)
    if not decided.any():
        return None
    rows, base, size = rows[decided], base[decided], size[decided]
    known = table["known_ms"][rows]
    opened = known - table["open_s"][rows].astype(np.int64) * 1_000
    order = np.argsort(opened, kind="stable")
    first = int(opened[order[0]]) // _DAY_MS
    ratio = table["ratio"][rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        proposed = np.where(ratio == 0.0, table["proposed"][rows], base / ratio)
    return Stakes(
        first=_EPOCH + timedelta(days=first),
        proposed=proposed[order],
        multipliers=size[order],
        base=base[order],
        days=np.maximum(known[order] // _DAY_MS - first, 0),
    )


def daily_figures(known_ms: NDArray[np.int64], won: NDArray[np.float64]) -> DailyFigures | None:
    """Return figures of daily profits; None without a trade. Days without a close count as 0."""
    if not len(known_ms):
        return None
    days = known_ms // _DAY_MS
    days = np.minimum(days - days[0], _MOST_DAYS)
    daily = by_day(won, days, int(days[-1]) + 1)
    total = np.cumsum(won)
    ratio = sharpe(daily)
    return DailyFigures(
        profit=float(total[-1]),
        sharpe=ratio if np.isfinite(ratio) else None,
        best_day=float(daily.max()),
        worst_day=float(daily.min()),
        drawdown=float((np.maximum(np.maximum.accumulate(total), 0.0) - total).max()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rolling:
    """Figures of the days up to each day, shape (n_points,); None where there is none."""

    ms: list[int]
    sharpe: list[float | None]
    win_rate: list[float | None]


def rolling(known_ms: NDArray[np.int64], won: NDArray[np.float64], n_days: int = 30) -> Rolling:
    """Return the Sharpe ratio and the share of winning trades of the last `n_days` days."""
    days = np.minimum(known_ms // _DAY_MS - known_ms[0] // _DAY_MS, _MOST_DAYS)
    n = int(days[-1]) + 1
    daily = [
        np.cumsum(by_day(values, days, n))
        for values in (won, np.ones_like(won), (won > 0.0).astype(np.float64))
    ]
    squares = np.cumsum(by_day(won, days, n) ** 2)
    at = np.unique(np.linspace(min(n_days, n) - 1, n - 1, min(n, N_POINTS // 2)).astype(int))
    total, count, wins, square = (_last(each, at, n_days) for each in (*daily, squares))
    mean = total / n_days
    spread = np.sqrt(np.maximum(square / n_days - mean**2, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mean / spread * math.sqrt(DAYS_PER_YEAR)
        share = wins / count
    first = int(known_ms[0] // _DAY_MS)
    return Rolling(
        ms=((first + at + 1) * _DAY_MS - 1).tolist(),
        sharpe=[each if math.isfinite(each) else None for each in ratio.tolist()],
        win_rate=[each if math.isfinite(each) else None for each in share.tolist()],
    )


def _last(summed: NDArray[np.float64], at: NDArray[np.intp], n_days: int) -> NDArray[np.float64]:
    before = np.where(at >= n_days, summed[np.maximum(at - n_days, 0)], 0.0)
    found: NDArray[np.float64] = summed[at] - before
    return found


def band(chosen: Stakes, *, seed: int = 0) -> Band:
    """Return days (epoch milliseconds) and the middle 95 % of what random sizing changes in profit.

    As in `worth.random_sizing`: the multipliers keep their values and order, and are shifted
    against the trades. What is changed is against the proposed stakes.
    """
    n = len(chosen.base)
    n_shifts = min(n - 1, _MOST_SHIFTS, max(_LEAST_SHIFTS, _MOST_STEPS // n))
    if n_shifts < _LEAST_SHIFTS:
        return [], [], []
    shifts = np.random.default_rng(seed).choice(np.arange(1, n), size=n_shifts, replace=False)
    at = np.unique(np.linspace(0, chosen.n_days - 1, min(chosen.n_days, N_POINTS // 2)).astype(int))
    paths = np.array(
        [
            np.cumsum(
                by_day(
                    chosen.base * (np.roll(chosen.multipliers, by) - 1.0),
                    chosen.days,
                    chosen.n_days,
                )
            )[at]
            for by in shifts.tolist()
        ]
    )
    low, high = np.quantile(paths, _MIDDLE, axis=0)
    start = (chosen.first - _EPOCH).days
    ends = ((start + at + 1) * _DAY_MS - 1).tolist()
    return ends, low.tolist(), high.tolist()
