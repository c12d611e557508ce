"""Do the statistics of `compare` keep their word? Simulations with a known truth.

    python benchmarks/bench_evaluate.py [--tries 200]

For several kinds of days, how often nominal 95 % intervals hold the true difference (ours, and a
plain percentile interval beside them), and how the p-values of random sizing and timing are spread
where multipliers foresee nothing. And how many bots whose stakes foresee nothing are ever told that
memory helped or hurt, as `report` looks, and as somebody would who tests every other week. Prints
JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from freqtrade_mem0.insight.block_resampling import optimal_block_length, resample
from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Moments, Shrinkage
from freqtrade_mem0.sizing.policies.bayes import Bayes
from freqtrade_mem0.sizing.policy import Known
from freqtrade_mem0.worth.bootstrap import estimate, gradient
from freqtrade_mem0.worth.differences import mean_return_difference, sharpe_difference
from freqtrade_mem0.worth.finding import MIN_DAYS, claim
from freqtrade_mem0.worth.judge import worth_of
from freqtrade_mem0.worth.random_sizing import shift_test
from freqtrade_mem0.worth.stakes import Stakes
from freqtrade_mem0.worth.timing import timing_test

if TYPE_CHECKING:
    from freqtrade_mem0.worth.bootstrap import Statistic

Floats = NDArray[np.float64]

KINDS = ("independent", "lingering", "clustered", "sparse", "skewed")
STATISTICS: dict[str, Statistic] = {
    "mean_return": mean_return_difference,
    "sharpe": sharpe_difference,
}
PARTS = ("coverage", "p_values", "looks")
N_RESAMPLES = 500
N_TRUTH = 400_000
WARM_UP = 100


def main() -> int:
    """Simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=200, help="Simulated comparisons each.")
    parser.add_argument("--only", choices=PARTS, help="One of the parts.")
    arguments = parser.parse_args()
    tries: int = arguments.tries
    began_s = time.monotonic()
    answer = {
        "benchmark": "evaluate",
        "tries": tries,
        "resamples": N_RESAMPLES,
        "coverage_of_95": {
            f"{kind}, {n_days} days": coverage(kind, n_days, tries)
            for kind in KINDS
            for n_days in (120, 365)
            if arguments.only in (None, "coverage")
        },
        "p_values_without_foresight": {
            f"{kind}, {n_trades} trades": no_foresight(kind, n_trades, tries)
            for kind in ("independent", "drifting", "learning")
            for n_trades in (150, 450)
            if arguments.only in (None, "p_values")
        },
        "share_of_bots_ever_told": {
            kind: ever_told(kind, tries)
            for kind in ("independent", "drifting", "learning")
            if arguments.only in (None, "looks")
        },
        "seconds": round(time.monotonic() - began_s),
        "python": sys.version.split()[0],
    }
    print(json.dumps(answer, indent=2))
    return 0


def two_runs(kind: str, n_days: int, rng: np.random.Generator) -> Floats:
    """Return daily returns without and with memory, shape (n_days, 2), heavy-tailed, alike."""
    n = n_days + WARM_UP
    common = rng.standard_t(5, size=n)
    days = np.column_stack([common, 0.9 * common + 0.3 * rng.standard_t(5, size=n)])
    if kind == "skewed":
        days = np.exp(0.8 * rng.standard_normal((n, 1))) * [1.0, 0.95] - [1.2, 1.1]
        days += 0.3 * rng.standard_normal((n, 2))
    if kind == "sparse":
        days *= rng.random(n)[:, None] < 0.5  # on half of the days nothing closes
    if kind == "clustered":
        scale = 1.0
        for day in range(n):  # calm and wild weeks alternate
            days[day] *= np.sqrt(min(scale, 50.0))
            scale = 0.05 + 0.06 * float(days[day, 0]) ** 2 + 0.85 * scale
    memory = {"lingering": 0.3, "sparse": 0.15}.get(kind, 0.0)
    for day in range(1, n):
        days[day] += memory * days[day - 1]
    returns: Floats = 0.002 * days[WARM_UP:] + 0.0005
    return returns


def columns_of(returns: Floats) -> Floats:
    """Return the columns that a comparison takes its figures from; exposures are not used."""
    return np.column_stack([returns, returns**2, np.ones_like(returns)])


def coverage(kind: str, n_days: int, tries: int) -> dict[str, Any]:
    """Return how often intervals hold the truth, by statistic."""
    rng = np.random.default_rng(1)
    truth = columns_of(two_runs(kind, N_TRUTH, rng)).mean(axis=0)
    held = {name: {"studentised": 0, "percentile": 0} for name in STATISTICS}
    lengths = []
    for number in range(tries):
        columns = columns_of(two_runs(kind, n_days, rng))
        for name, statistic in STATISTICS.items():
            true = float(statistic(truth))
            found = estimate(columns, statistic, seed=number, n_resamples=N_RESAMPLES)
            ends = (found.low or np.nan, found.high or np.nan)
            held[name]["studentised"] += ends[0] <= true <= ends[1]
            low, high = percentile_interval(columns, statistic, rng)
            held[name]["percentile"] += low <= true <= high
            lengths.append(found.block_days)
    return {
        name: {method: round(count / tries, 3) for method, count in counts.items()}
        for name, counts in held.items()
    } | {"mean_block_days": round(float(np.mean(lengths)), 2)}


def percentile_interval(
    columns: Floats, statistic: Statistic, rng: np.random.Generator
) -> tuple[float, float]:
    """Return the plain percentile interval of resamples with blocks of the same length."""
    means = columns.mean(axis=0)
    length = optimal_block_length((columns - means) @ gradient(statistic, means))
    days = resample(len(columns), length, N_RESAMPLES, rng)
    low, high = np.quantile(statistic(columns[days].mean(axis=1)), [0.025, 0.975])
    return float(low), float(high)


def no_foresight(kind: str, n_trades: int, tries: int) -> dict[str, Any]:
    """Return how p-values are spread where multipliers foresee nothing.

    Parameters
    ----------
    kind
        "independent" multipliers linger but have nothing to do with the trades; "drifting" ones do
        so beside profits whose mean drifts, too; "learning" ones are those of the policy `bayes`
        on the trades themselves, which have no edge.
    n_trades
        Trades, three a day.
    tries
        Simulated runs.
    """
    rng = np.random.default_rng(2)
    n_days = n_trades // 3
    p_values: dict[str, list[float]] = {
        name: [] for name in ("shift_as_good", "shift_as_bad", "timing_better", "timing_worse")
    }
    for number in range(tries):
        days, base, multipliers = blind_trades(kind, n_trades, n_days, rng)
        shifts = shift_test(base, multipliers, days, n_days=n_days, seed=number, max_shifts=300)
        timing = timing_test(base, multipliers, days, n_days=n_days, seed=number, n_flips=499)
        if shifts is not None and timing is not None:
            p_values["shift_as_good"].append(shifts.p_as_good)
            p_values["shift_as_bad"].append(shifts.p_as_bad)
            p_values["timing_better"].append(timing.p_better)
            p_values["timing_worse"].append(timing.p_worse)
    below = {name: np.array(values) <= 0.05 for name, values in p_values.items()}
    both = {
        "both_good": float(np.mean(below["shift_as_good"] & below["timing_better"])),
        "both_bad": float(np.mean(below["shift_as_bad"] & below["timing_worse"])),
    }
    return both | {
        name: {
            "share_below_0.05": round(float(np.mean(below[name])), 4),
            "mean": round(float(np.mean(values)), 4),
            "kolmogorov_smirnov_p": round(float(stats.kstest(values, "uniform").pvalue), 3),
        }
        for name, values in p_values.items()
    }


def blind_trades(
    kind: str, n_trades: int, n_days: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], Floats, Floats]:
    """Return days, profits and multipliers of trades that the multipliers do not foresee."""
    days = np.sort(rng.integers(n_days, size=n_trades))
    base = 0.01 * rng.standard_t(4, n_trades)
    if kind == "drifting":
        base += lingering(n_trades, 0.95, 0.004, rng)
    if kind == "learning":
        return days, base, learned(base, days, rng.integers(5, size=n_trades))
    memory = 0.99 if kind == "drifting" else 0.9
    return days, base, np.clip(1.0 + lingering(n_trades, memory, 0.4, rng), 0.25, 1.75)


def ever_told(kind: str, tries: int) -> dict[str, Any]:
    """Return the share of bots that two years of looks ever tell that memory helped, or hurt.

    `doubling` looks as `worth.judge` does, `fortnightly` tests all trades so far at 5 %.
    """
    rng, n_days = np.random.default_rng(3), 730
    ever = {how: {"helped": 0, "hurt": 0} for how in ("doubling", "fortnightly")}
    for number in range(tries):
        days, base, multipliers = blind_trades(kind, 2 * n_days, n_days, rng)
        bot = Stakes(
            first=date(2024, 1, 1),
            proposed=np.ones_like(base),
            multipliers=multipliers,
            base=base,
            days=days,
        )
        told: dict[str, set[str]] = {how: set() for how in ever}
        for day in range(MIN_DAYS, n_days, 14):
            until = bot.closed_first(int(np.sum(days <= day)))
            columns = until.columns
            tested = until.base, until.multipliers, until.days
            told["fortnightly"].add(
                claim(
                    estimate(columns, sharpe_difference, seed=number, n_resamples=N_RESAMPLES),
                    shift_test(*tested, n_days=until.n_days, seed=number, max_shifts=300),
                    timing_test(*tested, n_days=until.n_days, seed=number, n_flips=499),
                )
            )
            told["doubling"].add(worth_of(until, seed=number).finding)
        for how, found in told.items():
            for claimed in ever[how]:
                ever[how][claimed] += claimed in found
    return {how: {each: n / tries for each, n in found.items()} for how, found in ever.items()}


def lingering(n: int, memory: float, spread: float, rng: np.random.Generator) -> Floats:
    """Return a series that forgets slowly, with this standard deviation."""
    shocks = spread * np.sqrt(1.0 - memory**2) * rng.standard_normal(n)
    shocks[0] /= np.sqrt(1.0 - memory**2)
    series: Floats = shocks.copy()
    for number in range(1, n):
        series[number] += memory * series[number - 1]
    return series


def learned(base: Floats, days: NDArray[np.int64], groups: NDArray[np.int64]) -> Floats:
    """Return what the policy `bayes` makes of trades of five pairs, known three trades later."""
    policy = Bayes(prior=Shrinkage(pseudo_trades=100.0), min_multiplier=0.25, max_multiplier=1.75)
    multipliers: Floats = np.ones(len(base))
    for number in range(5, len(base)):
        known = slice(0, number - 3)
        weights = 0.5 ** ((days[number] - days[known]) / 120.0)
        own = groups[known] == groups[number]
        parts = [
            EntryGroup(name, "x", moments_of(base[known][chosen], weights[chosen]))
            for name, chosen in (("strategy", np.ones_like(own)), ("pair", own))
        ]
        multipliers[number] = policy(Known(strategy=parts[0], levels=parts[1:])).multiplier
    return multipliers


def moments_of(values: Floats, weights: Floats) -> Moments:
    """Return weighted moments."""
    n = float(weights.sum())
    if n == 0.0:
        return NOTHING
    mean = float(weights @ values) / n
    return Moments(n, mean, float(weights @ (values - mean) ** 2) / n)


if __name__ == "__main__":
    raise SystemExit(main())
