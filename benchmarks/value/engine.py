"""Compare the lab's replay of `split` with `freqtrade-mem0 compare`, which runs Freqtrade's engine.

    python -m benchmarks.value.engine --data /path/to/data [--strategies RsiDip EmaCross]

The replay gets the trades of the run without memory. Prints JSON: for each strategy the gain in
annual Sharpe ratio by the replay over these trades, by `compare`, and their difference.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.value.collect import LONG_ONLY, backtest_options
from benchmarks.value.datasets import DATASETS
from benchmarks.value.experts import response, split
from benchmarks.value.load import LAB
from benchmarks.value.measures import Sized, gain
from benchmarks.value.situations import cached_situations
from benchmarks.value.table import COLUMNS, finished
from freqtrade_mem0.compare.engine.backtest import Job
from freqtrade_mem0.compare.engine.pool import run_all
from freqtrade_mem0.compare.statistics.returns import daily
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.worth.daily import sharpe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.value.datasets import Dataset
    from freqtrade_mem0.compare.engine.pool import Outcome
    from freqtrade_mem0.compare.trades import ClosedTrade, Run

STRATEGIES = (
    *("AdxTrend", "AtrThrust", "BollingerRevert", "EmaCross", "Ichimoku", "KeltnerSqueeze"),
    *("MacdSignal", "ParabolicSar", "RocMomentum", "RoiScalper", "RsiDip", "ZScore"),
)
GOAL = 0.03
"""Largest difference between the two gains."""


def compared(dataset: Dataset, data: Path, names: Sequence[str], jobs: int) -> list[dict[str, Any]]:
    """Return both gains of each strategy on a dataset."""
    features = cached_situations(data / dataset.folder, dataset.timeframe, LAB)
    with (
        TemporaryDirectory() as folder,
        backtest_options(dataset, data, Path(folder) / "work") as options,
    ):
        each = [
            Job(strategy=name, options=tuple(options), folder=Path(folder) / name) for name in names
        ]
        outcomes = run_all(each, n_processes=jobs, watch=lambda _: None)
    return [{"dataset": dataset.name} | _both_gains(outcome, features) for outcome in outcomes]


def _both_gains(outcome: Outcome, features: pd.DataFrame) -> dict[str, Any]:
    if outcome.runs is None:
        raise RuntimeError(f"{outcome.strategy}: {outcome.error}")
    without, remembered = outcome.runs
    table = _table(without, features)
    multipliers = split(table, response(table))
    replay = Sized(outcome.strategy, table, multipliers)
    found = {
        "replay": gain(replay.close_days, replay.ratios, replay.multipliers),
        "compare": sharpe(daily(remembered).returns) - sharpe(daily(without).returns),
    }
    placed = {_entry(trade): trade.multiplier for trade in remembered.trades}
    keys = list(zip(table["pair"], table["open_ms"], strict=True))
    apart = [placed[key] - m for key, m in zip(keys, multipliers, strict=True) if key in placed]
    return {
        "strategy": outcome.strategy,
        "trades": len(table),
        "in both runs": len(apart),
        "gain": {name: round(value, 4) for name, value in found.items()},
        "difference": round(found["compare"] - found["replay"], 4),
        "largest difference of a multiplier": round(float(np.abs(apart).max()), 4),
    }


def _table(run: Run, features: pd.DataFrame) -> pd.DataFrame:
    """Return the trades of a run in the lab's form, without those that the end of the data cut."""
    closed = [trade for trade in run.trades if trade.exit_reason != "force_exit"]
    trades = pd.DataFrame([{name: getattr(trade, name) for name in COLUMNS} for trade in closed])
    return finished(trades.assign(is_short=trades["side"] == "short"), features)


def _entry(trade: ClosedTrade) -> tuple[str, int]:
    return trade.pair.split(":")[0], to_ms(trade.open_date)


def main() -> int:
    """Compare what is asked for; return 1 if a difference is above the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of the candle folders.")
    parser.add_argument("--only", nargs="*", default=["spot-2024-1h", "futures-2024-1h"])
    parser.add_argument("--strategies", nargs="*", default=STRATEGIES)
    parser.add_argument("--jobs", type=int, default=1, help="Backtests at the same time.")
    chosen = parser.parse_args()
    found: list[dict[str, Any]] = []
    for dataset in DATASETS:
        if dataset.name in chosen.only:
            names = [n for n in chosen.strategies if not (dataset.futures and n in LONG_ONLY)]
            found += compared(dataset, chosen.data, names, chosen.jobs)
    most = max(abs(one["difference"]) for one in found)
    print(json.dumps({"goal": GOAL, "largest difference": most, "strategies": found}, indent=1))
    return 1 if most > GOAL else 0


if __name__ == "__main__":
    sys.exit(main())
