"""What multipliers did to the daily returns of trade tables, and how sure that is.

The return of a UTC day is the sum of multiplier x profit ratio (after fees) of the trades that
closed on it, relative to constant capital. Sharpe ratios are annual (365 days). Dividing all
multipliers by their mean changes none, so a gain is one at equal exposure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

BLOCK_DAYS = 30
_DAYS_PER_YEAR = 365
_TAILS = (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class Sized:
    """The trades of a strategy with what a policy makes of them.

    Parameters
    ----------
    strategy
        Its name; tables of the same name are not independent.
    table
        In entry order.
    multipliers
        At each entry, shape (n,).
    span
        Tables of the same span share their days.
    """

    strategy: str
    table: pd.DataFrame
    multipliers: Floats
    span: str = ""

    @property
    def ratios(self) -> Floats:
        """Profit ratio of each trade."""
        return self.table["profit_ratio"].to_numpy(dtype=np.float64)

    @property
    def close_days(self) -> Ints:
        """UTC day on which each trade closed."""
        return np.asarray(self.table["close_ms"].to_numpy() // MS_PER_DAY, dtype=np.int64)


def daily(days: Ints, returns: Floats) -> Floats:
    """Return the sum of returns per calendar day, from the first day with a close to the last."""
    return np.asarray(np.bincount(days - days.min(), weights=returns), dtype=np.float64)


def sharpe(daily_returns: Floats) -> float:
    """Return the annual Sharpe ratio of daily returns; 0.0 where nothing moves."""
    spread = daily_returns.std()
    return float(daily_returns.mean() / spread * np.sqrt(_DAYS_PER_YEAR)) if spread > 0 else 0.0


def gain(days: Ints, ratios: Floats, multipliers: Floats) -> float:
    """Return the Sharpe ratio with multipliers minus that without."""
    return sharpe(daily(days, multipliers * ratios)) - sharpe(daily(days, ratios))


def rms(multipliers: Floats) -> float:
    """Return the root mean square of multiplier - 1."""
    return float(np.sqrt(np.mean((multipliers - 1.0) ** 2)))


def max_drawdown(daily_returns: Floats) -> float:
    """Return the largest fall of the sum of returns from its highest value so far, >= 0."""
    curve = np.concatenate([[0.0], np.cumsum(daily_returns)])
    return float((np.maximum.accumulate(curve) - curve).max())


def figures(sized: Sequence[Sized], shifts: Floats, draws: int = 1000) -> dict[str, float]:
    """Return the figures of a policy over many tables, pooled; `README.md` explains each.

    Parameters
    ----------
    sized
        Tables with multipliers.
    shifts
        By which part of a table the multipliers are shifted for the null, in (0, 1). The same for
        all tables, which keeps what they have in common.
    draws
        Of the bootstrap.
    """
    gains = np.array([gain(one.close_days, one.ratios, one.multipliers) for one in sized])
    null = np.mean([shifted_gains(one, shifts) for one in sized], axis=0)
    low, high = interval(sized, draws=draws)
    lowest, highest = interval(sized, draws=draws, over_strategies=True)
    falls = []
    for one in sized:
        plain = max_drawdown(daily(one.close_days, one.ratios))
        equal = one.multipliers / one.multipliers.mean()
        falls.append(max_drawdown(daily(one.close_days, equal * one.ratios)) / max(plain, 1e-12))
    early = [(o.close_days[:300], o.ratios[:300], o.multipliers[:300]) for o in sized]
    return {
        "n": len(sized),
        "gain": float(gains.mean()),
        "low": low,
        "high": high,
        "low_strategies": lowest,
        "high_strategies": highest,
        "better": float((gains > 0).mean()),
        "worse_005": float((gains < -0.05).mean()),
        "worse_020": float((gains < -0.20).mean()),
        "worst": float(gains.min()),
        "drawdown": float(np.median(falls)),
        "null_rank": float((null < gains.mean()).mean()),
        "rms": rms(np.concatenate([one.multipliers for one in sized])),
        "first_50": float(np.mean([np.abs(o.multipliers[:50] - 1.0).mean() for o in sized])),
        "first_50_most": float(np.max([np.abs(o.multipliers[:50] - 1.0).mean() for o in sized])),
        "first_300_gain": float(np.mean([gain(*first) for first in early])),
    }


def shifted_gains(one: Sized, shifts: Floats) -> Floats:
    """Return the gains of multipliers shifted circularly against the trades, in entry order.

    They have the same distribution and autocorrelation, and no knowledge.
    """
    days, ratios = one.close_days, one.ratios
    moved = (np.roll(one.multipliers, round(shift * len(ratios))) for shift in shifts)
    return np.array([gain(days, ratios, multipliers) for multipliers in moved])


def null_shifts(n: int, seed: int = 0) -> Floats:
    """Return `n` shifts that move every trade by at least 5 % of the table."""
    return np.random.default_rng(seed).uniform(0.05, 0.95, n)


def interval(
    sized: Sequence[Sized], *, draws: int, over_strategies: bool = False, seed: int = 1
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the mean gain.

    Blocks of 30 calendar days are drawn, the same for every table of a span, for all strategies
    share a market. `over_strategies` draws strategies, too.

    Notes
    -----
    What this does not show: what other markets or years would have said.
    """
    rng = np.random.default_rng(seed)
    names = sorted({one.strategy for one in sized})
    spans: dict[str, list[Sized]] = {}
    for one in sized:
        spans.setdefault(one.span, []).append(one)
    drawn, owners = [], []
    for members in spans.values():
        first = min(int(one.close_days.min()) for one in members) // BLOCK_DAYS
        n_blocks = max(int(one.close_days.max()) for one in members) // BLOCK_DAYS - first + 1
        weights = rng.multinomial(n_blocks, np.full(n_blocks, 1.0 / n_blocks), draws)
        for one in members:
            drawn.append(_drawn_gains(one, first, weights))
            owners.append(names.index(one.strategy))
    gains, owner = np.array(drawn), np.array(owners)
    counts = np.ones((draws, len(names)), dtype=np.int64)
    if over_strategies:
        counts = rng.multinomial(len(names), np.full(len(names), 1.0 / len(names)), draws)
    of_table = counts[:, owner].T
    means = (gains * of_table).sum(axis=0) / np.maximum(of_table.sum(axis=0), 1.0)
    low, high = np.quantile(means, _TAILS)
    return float(low), float(high)


def _drawn_gains(one: Sized, first: int, weights: Ints) -> Floats:
    """Return the gain of each draw, from sums over blocks."""
    n_days = weights.shape[1] * BLOCK_DAYS
    days = one.close_days - first * BLOCK_DAYS
    found = []
    for returns in (one.ratios, one.multipliers * one.ratios):
        blocks = np.bincount(days, returns, minlength=n_days).reshape(-1, BLOCK_DAYS)
        mean = weights @ blocks.sum(axis=1) / n_days
        spread = np.sqrt(np.maximum(weights @ (blocks**2).sum(axis=1) / n_days - mean**2, 0.0))
        found.append(np.where(spread > 0, mean / np.where(spread > 0, spread, 1.0), 0.0))
    return np.asarray((found[1] - found[0]) * np.sqrt(_DAYS_PER_YEAR))
