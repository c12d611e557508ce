"""A policy over a whole trade table at once: strictly as of each entry, in NumPy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.value.asof import decayed_sums, group_codes
from benchmarks.value.policy import PARENTS
from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from benchmarks.value.policy import Policy

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

NOTHING = 1e-9
MAX_SURPRISE = 5.0
"""Spreads beyond which an outcome counts no more for trust: one crash must not decide it."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What a policy said at each entry.

    Parameters
    ----------
    multipliers
        Shape (n,).
    forecast
        Expected profit ratio minus `centre`.
    centre
        What the forecast comes on top of: the strategy's mean, or what is left of it.
    spread
        Root mean square profit ratio as of each entry.
    """

    multipliers: Floats
    forecast: Floats
    centre: Floats
    spread: Floats


class Columns:
    """A trade table with what all policies need of it; intermediate results are kept.

    Parameters
    ----------
    table
        As `table.finished` makes it, in entry order.
    """

    def __init__(self, table: pd.DataFrame) -> None:
        self.table = table
        self.ratio = table["profit_ratio"].to_numpy(dtype=np.float64)
        self.open_ms = table["open_ms"].to_numpy(dtype=np.int64)
        self.close_ms = table["close_ms"].to_numpy(dtype=np.int64)
        self.n_open = table["n_open"].to_numpy(dtype=np.float64)
        volatility = table["volatility"].to_numpy(dtype=np.float64, na_value=np.nan)
        self.log_volatility = np.log(np.where(volatility > 0, volatility, np.nan))
        hours = self.open_ms % MS_PER_DAY // 3_600_000
        self._named = {
            "session": (hours // 6).astype(str),
            "weekday": ((self.open_ms // MS_PER_DAY + 3) % 7).astype(str),
            "n_open_bucket": np.digitize(self.n_open, [1, 3, 6]).astype(str),
        }
        if "btc_trend" in table:
            trend = table["btc_trend"].fillna(0.0).to_numpy(dtype=np.float64)
            self._named["btc_trend_regime"] = np.digitize(trend, [-0.5, 0.5]).astype(str)
        self._codes: dict[str, Ints] = {}
        self._groups: dict[tuple[str, float], tuple[Floats, Floats]] = {}

    def codes(self, level: str) -> Ints:
        """Return the group of each trade in a level."""
        if level not in self._codes:
            table = self.table
            columns: tuple[str, ...] = PARENTS.get(level, (level,))
            if level in self._named:
                table = table.assign(**self._named)
            self._codes[level] = group_codes(table.fillna(dict.fromkeys(columns, "")), columns)
        return self._codes[level]

    def sums(self, values: Floats, half_life_days: float, known_ms: Ints | None = None) -> Floats:
        """Return decayed sums over all earlier trades, shape (n, m)."""
        known = self.close_ms if known_ms is None else known_ms
        everyone = np.zeros(len(self.ratio), dtype=np.int64)
        return decayed_sums(self.open_ms, known, everyone, values, half_life_days)

    def group_sums(self, level: str, half_life_days: float) -> tuple[Floats, Floats]:
        """Return weights and weighted ratios of every group of a level, each shape (n, groups)."""
        key = (level, half_life_days)
        if key not in self._groups:
            codes = self.codes(level)
            one_hot = np.eye(int(codes.max()) + 1)[codes]
            both = self.sums(np.hstack([one_hot, one_hot * self.ratio[:, None]]), half_life_days)
            half = one_hot.shape[1]
            self._groups[key] = both[:, :half], both[:, half:]
        return self._groups[key]

    def moments(self, half_life_days: float) -> tuple[Floats, Floats, Floats]:
        """Return weight, mean and root mean square of all earlier trades, each shape (n,)."""
        r = self.ratio
        total = self.sums(np.column_stack([np.ones_like(r), r, r * r]), half_life_days)
        n = total[:, 0]
        mean = _ratio(total[:, 1], n)
        return n, mean, np.sqrt(np.maximum(_ratio(total[:, 2], n), 0.0))


def decide(columns: Columns, policy: Policy) -> Decided:
    """Return the decisions of a policy on every trade of a table."""
    n, mean, spread = columns.moments(policy.half_life_days)
    known = spread > 0
    unit = np.where(known, spread, 1.0)
    deviation = np.where(known, _deviation(columns, policy, n, mean, unit), 0.0)
    surprise = np.where(known, (columns.ratio - mean) / unit, 0.0)
    trust = _trust(columns, policy, deviation / unit, surprise)
    belief = n / (n + policy.pseudo_trades)
    forecast = trust * deviation + policy.strategy * belief * mean
    if policy.warm_up > 0.0:
        forecast = forecast * n / (n + policy.warm_up)
    edge = np.tanh(forecast / (policy.reach * unit))
    reach = np.where(edge > 0, policy.high - 1.0, 1.0 - policy.low)
    multipliers = (1.0 + reach * edge) * np.exp(_risk(columns, policy))
    if np.isfinite(policy.brake_after):
        multipliers *= np.where(known, _brake(columns, policy, unit), 1.0)
    bounded = np.clip(multipliers, policy.low, policy.high)
    return Decided(bounded, forecast, (1.0 - policy.strategy) * mean, spread)


def _deviation(columns: Columns, policy: Policy, n: Floats, mean: Floats, unit: Floats) -> Floats:
    """Return the sum of the levels' shrunk deviations from the strategy's mean."""
    rows = np.arange(len(n))
    shifts: dict[str, Floats] = {}
    total = np.zeros(len(n))
    for level in policy.levels:
        codes = columns.codes(level)
        weight, weighted = columns.group_sums(level, policy.half_life_days)
        seen = weight > NOTHING
        deviation = np.where(seen, _ratio(weighted, weight) - mean[:, None], 0.0)
        for parent in PARENTS.get(level, ()):
            if parent in shifts:
                # A group of this level lies in one group of each parent.
                _, first = np.unique(codes, return_index=True)
                inherited = shifts[parent][:, columns.codes(parent)[first]]
                deviation = np.where(seen, deviation - inherited, 0.0)
        squares = (weight * deviation**2).sum(axis=1) / unit**2
        theta = _between(policy, n, weight, squares)
        shifts[level] = deviation * weight / (weight + 1.0 / theta[:, None])
        total += shifts[level][rows, codes]
    return total


def _between(policy: Policy, n: Floats, weight: Floats, squares: Floats) -> Floats:
    """Return the variance between the groups of a level over that within, shape (n,).

    `squares` is the weighted sum of squared deviations over the variance within; see
    `candidate.Candidate` for the moments behind it.
    """
    prior = 1.0 / policy.pseudo_trades
    freedom = np.maximum((weight > NOTHING).sum(axis=1) - 1, 0)
    if not np.isfinite(policy.pseudo_groups):
        return np.full(len(n), prior)
    typical = np.maximum(n - _ratio((weight**2).sum(axis=1), n), 0.0) / np.maximum(freedom, 1)
    moment = (squares - freedom + policy.pseudo_groups * typical * prior) / np.maximum(
        (freedom + policy.pseudo_groups) * typical, NOTHING
    )
    return np.where(freedom > 0, np.maximum(moment, prior / 10), prior)


def _trust(columns: Columns, policy: Policy, said: Floats, surprise: Floats) -> Floats:
    """Return the slope between what was forecast and what came, pulled towards its prior."""
    if policy.trust_spread <= 0.0:
        return np.full(len(said), policy.trust)
    came = np.clip(surprise, -MAX_SURPRISE, MAX_SURPRISE)
    sums = columns.sums(np.column_stack([said * said, said * came]), policy.trust_half_life_days)
    precision = policy.overlap / policy.trust_spread**2
    slope = (sums[:, 1] + policy.trust * precision) / (sums[:, 0] + precision)
    return np.clip(slope, 0.0, 1.0)


def _risk(columns: Columns, policy: Policy) -> Floats:
    """Return the logarithm of what volatility and crowd make of a stake."""
    total = np.zeros(len(columns.ratio))
    for power, values in (
        (policy.volatility_power, columns.log_volatility),
        (1.0 if policy.crowd else 0.0, np.log1p(policy.crowd * columns.n_open)),
    ):
        if power:
            there = np.isfinite(values)
            filled = np.where(there, values, 0.0)
            sums = columns.sums(
                np.column_stack([there.astype(float), filled]), policy.half_life_days
            )
            belief = sums[:, 0] / (sums[:, 0] + policy.norm_pseudo_trades)
            usual = _ratio(sums[:, 1], sums[:, 0])
            total -= np.where(there, power * belief * (filled - usual), 0.0)
    return total


def _brake(columns: Columns, policy: Policy, unit: Floats) -> Floats:
    """Return a factor below one for a strategy whose loss is beyond doubt."""
    sums = columns.sums(
        np.column_stack([np.ones_like(columns.ratio), columns.ratio]),
        policy.brake_half_life_days,
    )
    error = unit * np.sqrt((sums[:, 0] + policy.brake_pseudo_trades) * policy.overlap)
    doubtless = np.minimum(sums[:, 1] / error + policy.brake_after, 0.0)
    return np.asarray(1.0 + (1.0 - policy.low) * np.tanh(doubtless), dtype=np.float64)


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    there = denominator > NOTHING
    return np.where(there, numerator / np.where(there, denominator, 1.0), 0.0)
