"""Measure trials on a period and write what came out.

    python -m benchmarks.value.evaluate --periods 2018-2020 [--trials chosen baseline]
    python -m benchmarks.value.evaluate --worlds --data /path/to/data [--trials chosen]

Results are merged into `results.json` beside this file.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.value.calibration import calibration
from benchmarks.value.columns import Columns
from benchmarks.value.interval import gain_interval
from benchmarks.value.load import CONFIRMATION, SELECTION, Period, measured, tables
from benchmarks.value.measures import null_shifts, outcome, summary
from benchmarks.value.neutrality import neutrality
from benchmarks.value.planted import KINDS, World, planted, share_of_oracle
from benchmarks.value.random_entries import RandomEntries, RandomPlan
from benchmarks.value.trials import TRIALS, Trial

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Path(__file__).parent
LAB, RESULTS = HERE / ".lab", HERE / "results.json"
IN_DETAIL = ("chosen", "baseline", "trust fixed 1/3", "fixed shrinkage")
"""Trials with an interval, and with each strategy's trades, Sharpe ratio, gain, draw-down."""
RANDOM = {
    "long, fees": RandomPlan(),
    "both sides, fees": RandomPlan(shorts=True),
    "both sides, no fees": RandomPlan(shorts=True, fee=0.0),
}


def on_period(period: Period, trials: Sequence[Trial], n_shifts: int) -> dict[str, Any]:
    """Return the figures of trials on a period, with those of each strategy."""
    found = {name: Columns(table) for name, table in tables(LAB, period).items()}
    shifts, results = null_shifts(n_shifts), {}
    for trial in trials:
        parts, chosen = [], []
        for columns in found.values():
            counted = measured(columns.table, period)
            parts.append(columns.table[counted].reset_index(drop=True))
            chosen.append(trial.multipliers(columns)[counted])
        outcomes = {
            name: outcome(part, multipliers, shifts)
            for name, part, multipliers in zip(found, parts, chosen, strict=True)
        }
        figures: dict[str, Any] = summary(list(outcomes.values()))
        for market in ("spot", "futures"):
            gains = [o.gain for name, o in outcomes.items() if name.startswith(market)]
            figures[f"gain_{market}"] = float(np.mean(gains))
        figures["slope"] = calibration(
            list(found.values()), trial.decide, lambda c: measured(c.table, period)
        )
        if trial.name in IN_DETAIL:
            figures["gain_interval"] = gain_interval(parts, chosen)
            figures["strategies"] = {
                name: [o.n_trades, o.sharpe, o.gain, o.drawdown] for name, o in outcomes.items()
            }
        results[trial.name] = {"why": trial.why} | figures
        shown = {k: v for k, v in figures.items() if isinstance(v, float)}
        print(f"{period.name} {trial.name}", _short(shown), _short(figures["slope"]), flush=True)
    return results


def on_worlds(trials: Sequence[Trial], data: Path, seeds: int) -> dict[str, Any]:
    """Return the figures of trials on random entries and planted edges."""
    folder = data / "binance-2018-2022"
    features = pd.read_feather(LAB / f"situations-{folder.name}-1h.feather")
    source = RandomEntries(folder, features)
    results: dict[str, Any] = {trial.name: {"random": {}, "planted": {}} for trial in trials}
    for name, plan in RANDOM.items():
        drawn = [Columns(source.table(plan, seed)) for seed in range(seeds)]
        for trial in trials:
            figures = neutrality(drawn, trial.multipliers)
            results[trial.name]["random"][name] = asdict(figures)
            print(f"random ({name}) {trial.name}", _short(asdict(figures)), flush=True)
    for edge in (0.3, 0.5):
        for kind in KINDS:
            worlds = [planted(World(kind=kind, edge=edge), seed) for seed in range(60)]
            ready = [Columns(table) for table in worlds]
            for trial in trials:
                chosen = [trial.decide(columns).multipliers for columns in ready]
                share = share_of_oracle(worlds, chosen)
                results[trial.name]["planted"][f"{kind} {edge}"] = share
                print(f"planted {kind} {edge} {trial.name} {share:.2f}", flush=True)
    return results


def _rounded(figures: Any) -> Any:
    """Return nested figures with four digits after the point."""
    if isinstance(figures, dict):
        return {name: _rounded(value) for name, value in figures.items()}
    if isinstance(figures, list | tuple):
        return [_rounded(value) for value in figures]
    return round(figures, 4) if isinstance(figures, float) else figures


def _short(figures: Any) -> Any:
    if isinstance(figures, dict):
        return {name: round(value, 3) for name, value in figures.items()}
    return tuple(round(value, 2) for value in figures)


def main() -> int:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--periods", nargs="*", default=[], help="Names, as in `load`.")
    parser.add_argument("--worlds", action="store_true", help="Random entries and planted edges.")
    parser.add_argument("--data", type=Path, help="Folder of the candle folders, for --worlds.")
    parser.add_argument("--trials", nargs="*", default=[], help="Names (default: all).")
    parser.add_argument("--shifts", type=int, default=300, help="Circular shifts of the null.")
    parser.add_argument("--seeds", type=int, default=200, help="Random-entry strategies.")
    chosen = parser.parse_args()
    unknown = set(chosen.trials) - {trial.name for trial in TRIALS}
    if unknown:
        parser.error(f"no such trials: {sorted(unknown)}")
    trials = [trial for trial in TRIALS if not chosen.trials or trial.name in chosen.trials]
    periods = {period.name: period for period in (SELECTION, *CONFIRMATION)}
    results = {name: on_period(periods[name], trials, chosen.shifts) for name in chosen.periods}
    if chosen.worlds:
        if chosen.data is None:
            parser.error("--worlds needs --data")
        results["worlds"] = on_worlds(trials, chosen.data, chosen.seeds)
    # Read only now: another run may have written meanwhile.
    merged = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name, found in results.items():
        merged.setdefault(name, {}).update(found)
    RESULTS.write_text(json.dumps(_rounded(merged), indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
