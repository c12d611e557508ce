"""`response` and `split` over a whole trade table at once, in NumPy: strictly as of each entry.

The same numbers as the package's incremental code, computed in another way: research needs
thousands of replays, and `check.py` compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.signal import lfilter

from benchmarks.value.table import MS_PER_DAY

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]

LOW, HIGH = 0.25, 1.75
"""Bounds of every expert's multiplier."""
_FULL_RANGE = 5.0
"""Largest momentum that counts, in its own unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """Constants of `response`; the defaults are those of the package.

    Parameters
    ----------
    base, contrarian, sided
        Slope of the log multiplier on log relative volatility, and what is subtracted from it per
        unit of mean momentum in the trade's direction, and where both sides are traded.
    half_life_days
        Of the means, > 0.
    pseudo_trades
        Trades after which the means are believed halfway, > 0.
    """

    base: float = 0.5
    contrarian: float = 0.5
    sided: float = 0.8
    half_life_days: float = 365.0
    pseudo_trades: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Constants of `split`; the defaults are those of the package.

    Parameters
    ----------
    share
        The expert's part of the bet at the start, in (0, 1).
    rate
        How fast it grows with a day's standardised excess, in (0, 1/3).
    half_life_days, min_days
        Of the daily spread, > 0, and how many days it needs; no expert is followed before.
    pseudo_trades
        Multipliers of one that are mixed into the expert's mean multiplier, > 0.
    at_risk, max_result
        Of the floor under stakes: what share of the rest one trade may lose (infinity: no such
        floor), and how much of its result counts, in usual daily results.
    """

    share: float = 0.3
    rate: float = 0.2
    half_life_days: float = 180.0
    min_days: int = 20
    pseudo_trades: float = 50.0
    at_risk: float = 0.5
    max_result: float = 2.0


def known_before(open_ms: Ints, close_ms: Ints, values: Floats, half_life_days: float) -> Floats:
    """Return, for each trade, sums over the trades closed strictly before its entry, decayed.

    Parameters
    ----------
    open_ms, close_ms
        UTC milliseconds, shape (n,).
    values
        What is summed, shape (n, m).
    half_life_days
        A trade closed that long before the entry weighs half, > 0.
    """
    origin = open_ms.min()
    rate = np.log(2.0) / (half_life_days * MS_PER_DAY)
    order = np.argsort(close_ms, kind="stable")
    weights = np.exp(rate * (close_ms[order] - origin))[:, None]
    running = np.vstack([np.zeros(values.shape[1]), np.cumsum(weights * values[order], axis=0)])
    known = np.searchsorted(close_ms[order], open_ms, side="left")
    return np.asarray(running[known] * np.exp(-rate * (open_ms - origin))[:, None])


@dataclass(frozen=True, slots=True)
class EntryStyle:
    """What `response` knows of a strategy at each entry, each of shape (n,).

    Parameters
    ----------
    z
        Shrunk log volatility relative to earlier entries; 0 where there is none.
    momentum
        Shrunk mean momentum in the trade's direction at earlier entries.
    both_sides
        1.0 where earlier trades were long and short, otherwise 0.0.
    """

    z: Floats
    momentum: Floats
    both_sides: Floats


def entry_style(table: pd.DataFrame, constants: Response | None = None) -> EntryStyle:
    """Return how a strategy enters, as of each of its entries."""
    of = Response() if constants is None else constants
    volatility = table["volatility"].to_numpy(dtype=np.float64, na_value=np.nan)
    there = volatility > 0
    log_volatility = np.log(np.where(there, volatility, 1.0))
    momentum = table["momentum"].to_numpy(dtype=np.float64, na_value=np.nan)
    is_short = (table["side"] == "short").to_numpy()
    along = np.where(is_short, -1.0, 1.0) * np.nan_to_num(momentum)
    along = np.clip(along, -_FULL_RANGE, _FULL_RANGE)
    open_ms, close_ms = (table[name].to_numpy(dtype=np.int64) for name in ("open_ms", "close_ms"))
    counted = np.column_stack([there, is_short, ~is_short]).astype(np.float64)
    n, shorts, longs = known_before(open_ms, close_ms, counted, np.inf).T
    values = np.column_stack([there, there * log_volatility, there * along])
    weight, logs, moved = known_before(open_ms, close_ms, values, of.half_life_days).T
    believed = n / (n + of.pseudo_trades)
    weight = np.where(n > 0, weight, 1.0)
    return EntryStyle(
        z=np.where(there, believed * (log_volatility - logs / weight), 0.0),
        momentum=believed * moved / weight,
        both_sides=((shorts > 0) & (longs > 0)).astype(np.float64),
    )


def response(table: pd.DataFrame, constants: Response | None = None) -> Floats:
    """Return the multiplier of `response` at each entry, shape (n,)."""
    of = Response() if constants is None else constants
    style = entry_style(table, of)
    slope = of.base - of.contrarian * style.momentum - of.sided * style.both_sides
    return np.clip(np.exp(style.z * slope), LOW, HIGH)


@dataclass(frozen=True, slots=True)
class Days:
    """What is known at the start of each UTC day since the first entry, each of shape (n_days,).

    Parameters
    ----------
    mean
        Of the expert's multipliers.
    spread
        The usual daily result; 1.0 where it is not known.
    known
        Whether it is.
    excess
        What following the expert would earn on that day against the same mean stake, in usual
        daily results, in [-3, 3]; 0.0 where they are not known.
    """

    mean: Floats
    spread: Floats
    known: Bools
    excess: Floats


def days_of(table: pd.DataFrame, multipliers: Floats, constants: Split | None = None) -> Days:
    """Return the days of a table, in entry order, with an expert's multipliers."""
    of = Split() if constants is None else constants
    days = (table["close_ms"] // MS_PER_DAY - table["open_ms"].min() // MS_PER_DAY).to_numpy()
    ratios = table["profit_ratio"].to_numpy(dtype=np.float64)
    closed, summed, plain, scaled = (
        np.bincount(days, weights)
        for weights in (np.ones(len(days)), multipliers, ratios, multipliers * ratios)
    )
    mean = (np.cumsum(summed) - summed + of.pseudo_trades) / (
        np.cumsum(closed) - closed + of.pseudo_trades
    )
    counts = np.cumsum(closed) > 0
    fade = 0.5 ** (1.0 / of.half_life_days)
    weight, square = (lfilter([0.0, 1.0], [1.0, -fade], v) for v in (counts, plain**2))
    known = (np.cumsum(counts) - counts >= of.min_days) & (square > 0)
    spread = np.sqrt(np.where(known, square / np.where(known, weight, 1.0), 1.0))
    excess = np.where(known, np.clip((scaled / mean - plain) / spread, -3.0, 3.0), 0.0)
    return Days(mean, spread, known, excess)


def split(table: pd.DataFrame, *experts: Floats, constants: Split | None = None) -> Floats:
    """Return the stake multiplier with experts followed as far as each has earned it."""
    of = Split() if constants is None else constants
    day = table["open_ms"].to_numpy(dtype=np.int64) // MS_PER_DAY
    day -= day.min()
    share = of.share / len(experts)
    all_days = [days_of(table, multipliers, of) for multipliers in experts]
    wealth = []
    for days in all_days:
        growth = np.concatenate([[0.0], np.cumsum(np.log1p(of.rate * days.excess))])
        wealth.append(share * np.exp(growth)[day])
    whole = 1.0 - of.share + np.sum(wealth, axis=0)
    parts = [own * all_days[0].known[day] / whole for own in wealth]
    each = list(zip(parts, experts, all_days, strict=True))
    moved = np.sum([w * (m - 1.0) for w, m, _ in each], axis=0)
    distance = np.sum([w * (m / days.mean[day] - 1.0) for w, m, days in each], axis=0)
    results = table["profit_ratio"].to_numpy(dtype=np.float64) / all_days[0].spread[day]
    return np.asarray(1.0 + _kept(table, distance, results, of) * moved)


def _kept(table: pd.DataFrame, distance: Floats, results: Floats, of: Split) -> Floats:
    """Return which part of each stake's move the floor under stakes leaves, shape (n,)."""
    if np.isinf(of.at_risk):
        return np.ones(len(table))
    closes = table["close_ms"].tolist()
    by_close = np.argsort(table["close_ms"].to_numpy(), kind="stable").tolist()
    counted = np.clip(results, -of.max_result, of.max_result).tolist()
    kept, earned, done = list[float](), 0.0, 0
    reserve = -np.log(1.0 - of.share) / of.rate
    for opened, wanted in zip(table["open_ms"].tolist(), distance.tolist(), strict=True):
        while done < len(kept) and closes[by_close[done]] < opened:
            number = by_close[done]
            earned += kept[number] * distance[number] * counted[number]
            done += 1
        room = of.at_risk * max(0.0, min(reserve, reserve + earned)) / of.max_result
        kept.append(1.0 if abs(wanted) <= room else room / abs(wanted))
    return np.array(kept)


def own_slope(table: pd.DataFrame, pseudo_trades: float = 100.0, scale: float = 10.0) -> Floats:
    """Return multipliers by a strategy's own answer to volatility, learned from its closed trades.

    The slope of the profit ratio, in root mean squares, on `EntryStyle.z` is shrunk towards 0.
    """
    z = entry_style(table).z
    ratio = table["profit_ratio"].to_numpy(dtype=np.float64)
    values = np.column_stack([z * ratio, z * z, ratio * ratio, np.ones_like(z)])
    open_ms, close_ms = (table[name].to_numpy(dtype=np.int64) for name in ("open_ms", "close_ms"))
    product, square, ratios, n = known_before(open_ms, close_ms, values, 365.0).T
    unit = np.sqrt(ratios / np.where(n > 0, n, 1.0))
    slope = product / np.where(unit > 0, unit, 1.0) / (square + pseudo_trades * 0.25)
    return np.asarray(np.clip(np.exp(scale * slope * z), LOW, HIGH))
