"""What a sequence of multipliers did to the daily returns of a trade table.

The return of a day is the sum of `multiplier x profit ratio` of the trades that closed on it (UTC),
relative to constant capital; calendar days without a close count as zero. Sharpe ratios are annual
(365 days). Scaling all multipliers by one number changes no Sharpe ratio: "at equal exposure"
therefore concerns draw-downs and returns only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

DAYS_PER_YEAR = 365


@dataclass(frozen=True, slots=True)
class Outcome:
    """A table with multipliers, against the same table without.

    Parameters
    ----------
    n_trades
        Rows of the table.
    sharpe
        Annual, of the table as it is.
    gain
        Sharpe ratio with multipliers minus without.
    drawdown
        Largest fall of the sum of returns with multipliers, relative to that without.
    drawdown_equal
        The same with multipliers divided by their mean.
    mean_multiplier
        Over trades.
    null
        Gains of circularly shifted multipliers, shape (n_shifts,).
    """

    n_trades: int
    sharpe: float
    gain: float
    drawdown: float
    drawdown_equal: float
    mean_multiplier: float
    null: Floats


def close_days(table: pd.DataFrame) -> Ints:
    """Return the day each trade closed on, counted from the day of the first entry."""
    days = table["close_ms"].to_numpy() // MS_PER_DAY
    return np.asarray(days - table["open_ms"].min() // MS_PER_DAY, dtype=np.int64)


def daily(days: Ints, returns: Floats) -> Floats:
    """Return the sum of returns per calendar day."""
    return np.asarray(np.bincount(days, weights=returns), dtype=np.float64)


def sharpe(daily_returns: Floats) -> float:
    """Return the annual Sharpe ratio of daily returns; 0.0 where nothing moves."""
    spread = daily_returns.std()
    return float(daily_returns.mean() / spread * np.sqrt(DAYS_PER_YEAR)) if spread > 0 else 0.0


def max_drawdown(daily_returns: Floats) -> float:
    """Return the largest fall of the sum of returns from its highest value so far, >= 0."""
    curve = np.concatenate([[0.0], np.cumsum(daily_returns)])
    return float((np.maximum.accumulate(curve) - curve).max())


def outcome(table: pd.DataFrame, multipliers: Floats, shifts: Floats) -> Outcome:
    """Measure multipliers on a table.

    Parameters
    ----------
    table
        In entry order.
    multipliers
        One per trade, shape (n,).
    shifts
        By which part of the table the multipliers are shifted for the null, in (0, 1). The same
        shifts for all strategies keep what they have in common.
    """
    ratios = table["profit_ratio"].to_numpy(dtype=np.float64)
    days = close_days(table)
    plain, with_memory = daily(days, ratios), daily(days, multipliers * ratios)
    base, mean = sharpe(plain), float(multipliers.mean())
    null = [
        sharpe(daily(days, np.roll(multipliers, round(s * len(ratios))) * ratios)) - base
        for s in shifts
    ]
    fall = max_drawdown(plain)
    ratio = max_drawdown(with_memory) / fall if fall > 0.0 else 1.0
    return Outcome(
        n_trades=len(ratios),
        sharpe=base,
        gain=sharpe(with_memory) - base,
        drawdown=ratio,
        drawdown_equal=ratio / mean,
        mean_multiplier=mean,
        null=np.asarray(null, dtype=np.float64),
    )


def null_shifts(n: int, seed: int = 0) -> Floats:
    """Return `n` shifts that move every trade by at least 5 % of the table."""
    return np.random.default_rng(seed).uniform(0.05, 0.95, n)


def summary(outcomes: list[Outcome]) -> dict[str, float]:
    """Return the figures of a set of strategies that the goals speak of.

    `null_rank` is the share of shifts whose mean gain is below the real one; `null_99` the mean
    gain that 99 % of shifts stay below.
    """
    gains = np.array([o.gain for o in outcomes])
    null = np.mean([o.null for o in outcomes], axis=0) if outcomes[0].null.size else np.zeros(1)
    return {
        "n_strategies": len(outcomes),
        "gain_mean": float(gains.mean()),
        "gain_median": float(np.median(gains)),
        "better": float((gains > 0).mean()),
        "worse_005": float((gains < -0.05).mean()),
        "worse_020": float((gains < -0.20).mean()),
        "worst": float(gains.min()),
        "drawdown": float(np.median([o.drawdown for o in outcomes])),
        "drawdown_equal": float(np.median([o.drawdown_equal for o in outcomes])),
        "mean_multiplier": float(np.mean([o.mean_multiplier for o in outcomes])),
        "null_mean": float(null.mean()),
        "null_99": float(np.quantile(null, 0.99)),
        "null_rank": float((null < gains.mean()).mean()),
    }
