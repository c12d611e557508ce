"""Measure policies on all periods and in worlds where the answer is known.

    python -m benchmarks.value.evaluate --data /path/to/data [--only response split]

Writes `results.json` (figures) and `results.md` (tables for people) beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.value.experts import split
from benchmarks.value.load import CONFIRMATION, LAB, SELECTION
from benchmarks.value.measures import (
    Sized,
    daily,
    figures,
    gain,
    interval,
    null_shifts,
    rms,
)
from benchmarks.value.planted import World, planted, share_of_oracle
from benchmarks.value.random_entries import RandomEntries, RandomPlan
from benchmarks.value.report import report
from benchmarks.value.trials import TRIALS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from benchmarks.value.load import Period

    Floats = NDArray[np.float64]
    Multipliers = Callable[[pd.DataFrame], Floats]

HERE = Path(__file__).parent
RESULTS, REPORT = HERE / "results.json", HERE / "results.md"
N_SHIFTS = 100
NOISE_TRADES = (40, 300, 3000)
RANDOM = {
    "random, both sides": RandomPlan(shorts=True),
    "random, both sides, no fees": RandomPlan(shorts=True, fee=0.0),
    "random, long": RandomPlan(),
}
PLANTED = {
    "pair": World(by="pair", edge=0.3),
    "tag": World(by="enter_tag", edge=0.3),
    "side": World(by="side", edge=0.3),
    "trend": World(by="trend_regime", edge=0.3),
    "volatility, contrarian": World(by="volatility", edge=0.15, momentum=-0.8, both_sides=False),
    "volatility, follower": World(by="volatility", edge=-0.15, momentum=0.8, both_sides=True),
}


def on_markets(multipliers: Multipliers) -> dict[str, dict[str, float]]:
    """Return the figures of a policy by period, and those of the later periods pooled."""
    sized = {period: _sized(period, multipliers) for period in (SELECTION, *CONFIRMATION)}
    shifts = null_shifts(N_SHIFTS)
    found = {period.name: figures(members, shifts) for period, members in sized.items()}
    for name, periods in (("later 1h, pooled", CONFIRMATION[:-1]), ("later, pooled", CONFIRMATION)):
        later = [one for period in periods for one in sized[period]]
        found[name] = figures(later, shifts)
    return found


@cache
def _tables(period: Period) -> list[tuple[str, pd.DataFrame]]:
    return list(period.tables())


def _sized(period: Period, multipliers: Multipliers) -> list[Sized]:
    return [Sized(name, table, multipliers(table), period.start) for name, table in _tables(period)]


def without_knowledge(multipliers: Multipliers, n_shifts: int = 20) -> dict[str, Any]:
    """Return the harm of multipliers shifted against the trades, alone and in a split."""
    alone, followed = [], []
    for period in (SELECTION, *CONFIRMATION):
        for one in _sized(period, multipliers):
            for shift in null_shifts(n_shifts, seed=1):
                moved = np.roll(one.multipliers, round(shift * len(one.multipliers)))
                alone.append(gain(one.close_days, one.ratios, moved))
                followed.append(gain(one.close_days, one.ratios, split(one.table, moved)))
    return {"alone": _harm(alone), "in a split": _harm(followed)}


def _harm(gains: Sequence[float]) -> dict[str, float]:
    found = np.array(gains)
    return {
        "gain": float(found.mean()),
        "worse_005": float((found < -0.05).mean()),
        "worse_020": float((found < -0.20).mean()),
        "worst": float(found.min()),
    }


def _more_return(sized: Sequence[Sized]) -> float:
    """Return the mean gain in annual return at equal exposure, in standard deviations of a year."""
    more = []
    for one in sized:
        plain = daily(one.close_days, one.ratios)
        equal = one.multipliers / one.multipliers.mean()
        scaled = daily(one.close_days, equal * one.ratios)
        more.append((scaled.mean() - plain.mean()) / plain.std() * np.sqrt(365))
    return float(np.mean(more))


def on_worlds(multipliers: Multipliers, source: RandomEntries, seeds: int) -> dict[str, Any]:
    """Return what a policy makes of random entries, noise and planted edges."""
    found: dict[str, Any] = {}
    for name, plan in RANDOM.items():
        drawn = []
        for seed in range(seeds):
            table = source.table(plan, seed)
            drawn.append(Sized(f"{seed}", table, multipliers(table)))
        low, high = interval(drawn, draws=1000, over_strategies=True)
        gains = [gain(one.close_days, one.ratios, one.multipliers) for one in drawn]
        found[name] = _harm(gains) | {"low": low, "high": high, "return": _more_return(drawn)}
    for correlation in (0.0, 0.3):
        for n in NOISE_TRADES:
            world = World(n_trades=n + 20, correlation=correlation)
            said = (multipliers(planted(world, s))[n:] for s in range(max(seeds * 200 // n, 5)))
            found[f"noise {correlation:g}, {n} trades"] = rms(np.concatenate(list(said)))
    for name, world in PLANTED.items():
        tables = [planted(replace(world, n_trades=600), seed) for seed in range(max(seeds // 5, 4))]
        shares = [share_of_oracle(table, multipliers(table)) for table in tables]
        found[f"planted {name}"] = float(np.mean(shares))
    return found


def rounded(found: Any) -> Any:
    """Return nested figures with three digits after the point."""
    if isinstance(found, dict):
        return {name: rounded(value) for name, value in found.items()}
    return round(found, 3) if isinstance(found, float) else found


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of the candle folders.")
    parser.add_argument(
        "--only", nargs="*", default=[], help="Names, as in `trials` (default: all)."
    )
    parser.add_argument("--seeds", type=int, default=100, help="Random-entry strategies.")
    chosen = parser.parse_args()
    if unknown := set(chosen.only) - set(TRIALS):
        parser.error(f"no such trials: {sorted(unknown)}")
    features = pd.read_feather(LAB / "situations-binance-2018-2022-1h.feather")
    source = RandomEntries(chosen.data / "binance-2018-2022", features)
    results = json.loads(RESULTS.read_text()) if chosen.only and RESULTS.is_file() else {}
    for name in chosen.only or TRIALS:
        trial = TRIALS[name]
        results[name] = {"why": trial.why, "markets": on_markets(trial.multipliers)}
        if trial.in_worlds:
            results[name]["worlds"] = on_worlds(trial.multipliers, source, chosen.seeds)
            results[name]["shifted"] = without_knowledge(trial.multipliers)
        print(name, rounded(results[name]["markets"]["later, pooled"]), flush=True)
    results = rounded({name: results[name] for name in TRIALS if name in results})
    lines = (f"{json.dumps(name)}: {json.dumps(found)}" for name, found in results.items())
    RESULTS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    REPORT.write_text(report(results, datetime.now(UTC).date()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
