"""Run the lab's strategies through Freqtrade's real backtest; write one trade table of each.

    python -m benchmarks.value.collect --data /path/to/data [--only spot-2018 ...]

Stakes are fixed and the wallet is large, so that sizing could not change which trades occur.
Tables go to `.lab/trades/<dataset>/<strategy>.feather` below this folder.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchmarks.value.datasets import DATASETS, Dataset, pairs_in, write_futures
from benchmarks.value.situations import cached_situations
from benchmarks.value.table import finished
from freqtrade_mem0.demo.exchange.markets import market_of
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import child_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
LAB = HERE / ".lab"
STRATEGIES = HERE / "strategies"
LONG_ONLY = ("PanicRebound", "RoiScalper", "TrailingTrend", "VolumeClimax")
"""Strategies without shorts: on futures they would only repeat their spot trades."""

SPOT_ONLY = ("MATIC/USDT",)
"""Pairs that Freqtrade's bundled leverage tiers do not know."""

_STAKE, _WALLET = 10_000, 10_000_000
"""Far above the exchange's smallest order and far below the wallet: no limit changes a stake."""


def strategy_names(*, futures: bool) -> list[str]:
    """Return the class names of the lab's strategies that add something on a kind of market."""
    names = ["".join(p.title() for p in f.stem.split("_")) for f in STRATEGIES.glob("*.py")]
    return sorted(name for name in names if not (futures and name in LONG_ONLY))


@contextmanager
def backtest_options(dataset: Dataset, data: Path, work: Path) -> Iterator[list[str]]:
    """Yield options of `freqtrade backtesting` for a dataset, while an exchange stands in.

    Its steps are so fine that no order is too small: coins of all prices are traded.

    Parameters
    ----------
    dataset
        What is run.
    data
        Folder of the candle folders.
    work
        For the config and Freqtrade's files.
    """
    source = data / dataset.folder
    pairs = pairs_in(source, dataset.timeframe)
    datadir = source
    markets = [replace(market_of(pair), price_decimals=8, amount_decimals=8) for pair in pairs]
    if dataset.futures:
        datadir = LAB / "futures" / f"{dataset.folder}-{dataset.timeframe}"
        if not datadir.is_dir():
            write_futures(source, datadir, dataset.timeframe)
        pairs = [f"{pair}:USDT" for pair in pairs if pair not in SPOT_ONLY]
    with ExchangeStandIn(markets) as exchange:
        config = freqtrade_config(
            exchange.url,
            pairs,
            dataset.timeframe,
            futures=dataset.futures,
            stake_amount=_STAKE,
            dry_run_wallet=_WALLET,
        )
        yield [
            *("--config", str(write_config(work / "config.json", config))),
            *("--userdir", str(work), "--datadir", str(datadir)),
            *("--strategy-path", str(STRATEGIES), "--timerange", dataset.timerange),
        ]


def backtest(dataset: Dataset, data: Path, names: list[str]) -> dict[str, list[dict[str, Any]]]:
    """Run strategies over a dataset; return Freqtrade's own trades by strategy."""
    work = LAB / "runs" / dataset.name
    with backtest_options(dataset, data, work) as options:
        command = [sys.executable, "-m", "freqtrade", "backtesting", "--cache", "none", *options]
        command += ["--export", "trades", "--strategy-list", *names]
        environment = child_environment() | {"PYTHONPATH": os.pathsep.join(sys.path)}
        with (work / "log.txt").open("wb") as log:
            subprocess.run(command, check=True, stdout=log, stderr=log, env=environment)
    folder = work / "backtest_results"
    name = json.loads((folder / ".last_result.json").read_text())["latest_backtest"]
    with zipfile.ZipFile(folder / name) as archive:
        stored = json.loads(archive.read(name.replace(".zip", ".json")))["strategy"]
    return {name: stored[name]["trades"] for name in names}


def collect(dataset: Dataset, data: Path, only: list[str]) -> None:
    """Write the trade tables of a dataset."""
    names = only or strategy_names(futures=dataset.futures)
    features = cached_situations(data / dataset.folder, dataset.timeframe, LAB)
    folder = LAB / "trades" / dataset.name
    folder.mkdir(parents=True, exist_ok=True)
    for name, trades in backtest(dataset, data, names).items():
        if not trades:
            print(f"{dataset.name} {name}: no trades")
            continue
        table = finished(pd.DataFrame(trades), features)
        table.to_feather(folder / f"{name}.feather")
        print(
            f"{dataset.name} {name}: {len(table)} trades, mean {table['profit_ratio'].mean():+.3%}"
        )


def main() -> int:
    """Collect what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="Folder of the candle folders.")
    parser.add_argument("--only", nargs="*", default=[], help="Datasets (default: all).")
    parser.add_argument("--strategies", nargs="*", default=[], help="Strategies (default: all).")
    chosen = parser.parse_args()
    for dataset in DATASETS:
        if not chosen.only or dataset.name in chosen.only:
            collect(dataset, chosen.data, chosen.strategies)
    return 0


if __name__ == "__main__":
    sys.exit(main())
