"""What `freqtrade-mem0 compare` of many strategies takes, against plain backtests one by one.

    python benchmarks/bench_compare.py [--rounds 2] [--strategies 20] [--sample 4] [--jobs 2]
        [--datadir FOLDER --timeframe 5m --timerange 20240101-20240301]

The strategies are generated: five kinds with other numbers each time, and each second one has the
indicators of the one before it. A plain run is one `freqtrade backtesting` of a strategy, without
the mixin, or with it and the journal alone. Each round runs `compare` of all strategies, and then
both plain runs of a sample, other strategies each round; the sum of all is the mean of the sample
times twice the number of strategies. `--sample 0` runs all of them. Prints JSON.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from benchmarks.freqtrade_commands import (
    Took,
    arguments_of,
    asked_market,
    market,
    market_options,
    run,
)
from benchmarks.measuring import machine, print_result, ratios, spread

if TYPE_CHECKING:
    from benchmarks.freqtrade_commands import Market

_KINDS = {
    "Cross": (
        (
            'frame["one"] = ta.EMA(frame, timeperiod={a})\n        '
            'frame["two"] = ta.EMA(frame, timeperiod=3 * {a})'
        ),
        'frame["one"] > frame["two"] * (1 + {c})',
        'frame["one"] < frame["two"]',
    ),
    "Dip": (
        (
            'frame["one"] = ta.RSI(frame, timeperiod={a})\n        '
            'frame["two"] = ta.SMA(frame, timeperiod=5 * {a})'
        ),
        '(frame["one"] < {b}) & (frame["close"] > frame["two"] * (0.97 + {c}))',
        'frame["one"] > 100 - {b}',
    ),
    "Band": (
        (
            "band = ta.BBANDS(frame, timeperiod=2 * {a}, nbdevup=2.0, nbdevdn=2.0)\n        "
            'frame["one"], frame["two"] = band["lowerband"], band["middleband"]'
        ),
        'frame["close"] < frame["one"] * (1 - {c})',
        'frame["close"] > frame["two"]',
    ),
    "Range": (
        (
            'frame["one"] = frame["high"].rolling(4 * {a}).max().shift(1)\n        '
            'frame["two"] = frame["low"].rolling(2 * {a}).min().shift(1)'
        ),
        'frame["close"] > frame["one"] * (1 + {c})',
        'frame["close"] < frame["two"]',
    ),
    "Momentum": (
        (
            "macd = ta.MACD(frame, fastperiod={a}, slowperiod=2 * {a}, signalperiod=9)\n        "
            'frame["one"] = macd["macdhist"] / frame["close"]\n        '
            'frame["two"] = ta.ADX(frame, timeperiod={a})'
        ),
        '(frame["one"] > {c} / 4) & (frame["two"] > {b} / 2)',
        'frame["one"] < 0',
    ),
}
"""Indicators, entry and exit by kind, in the numbers `a`, `b` and `c`."""

_SOURCE = '''"""A generated strategy."""

import talib.abstract as ta
from freqtrade.strategy import IStrategy
{mixin_import}

class {name}({mixin_base}IStrategy):
    INTERFACE_VERSION = 3
    timeframe = "5m"
    startup_candle_count = 200
    stoploss = -0.08
    minimal_roi = {{"0": 0.05, "1440": 0.0}}

    def populate_indicators(self, frame, metadata):
        {indicators}
        return frame

    def populate_entry_trend(self, frame, metadata):
        wanted = ({entry}) & (frame["volume"] > 0)
        frame.loc[wanted, ["enter_long", "enter_tag"]] = (1, "{tag}")
        return frame

    def populate_exit_trend(self, frame, metadata):
        frame.loc[{exit}, "exit_long"] = 1
        return frame
'''


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=2, help="Runs of `compare`.")
    parser.add_argument("--strategies", type=int, default=20, help="How many are compared.")
    parser.add_argument("--sample", type=int, default=4, help="Of which plain runs are made.")
    parser.add_argument("--jobs", type=int, default=2, help="Of `compare`.")
    market_options(parser, days=60)
    asked = parser.parse_args()
    facts = machine()
    compared: list[Took] = []
    sums: list[Took] = []
    with tempfile.TemporaryDirectory() as name, market(asked, Path(name)) as traded:
        folder = Path(name)
        names = [
            write_strategy(folder / f"strategies-{has_memory}", n, has_memory=has_memory)
            for has_memory in (False, True)
            for n in range(asked.strategies)
        ][: asked.strategies]
        backtest(traded, folder, names[0], has_memory=True)  # what is read first is read from disk
        size = asked.sample or len(names)
        for number in range(asked.rounds):
            compared.append(compare(traded, folder, names, asked.jobs))
            sample = [names[(number * size + n) % len(names)] for n in range(size)]
            plain = [
                backtest(traded, folder, name, has_memory=has_memory)
                for name in sample
                for has_memory in (False, True)
            ]
            sums.append(
                replace(
                    plain[-1],
                    wall_s=2 * len(names) * mean(took.wall_s for took in plain),
                    cpu_s=2 * len(names) * mean(took.cpu_s for took in plain),
                )
            )
    walls = [[took.wall_s for took in series] for series in (compared, sums)]
    cpus = [[took.cpu_s for took in series] for series in (compared, sums)]
    print_result(
        "compare",
        asked={
            "rounds": asked.rounds,
            "strategies": asked.strategies,
            "sample": asked.sample,
            "jobs": asked.jobs,
            **asked_market(asked),
        },
        figures={
            "compare_wall_s": spread(walls[0]),
            "compare_cpu_s": spread(cpus[0]),
            "plain_wall_s": spread(walls[1]),
            "plain_cpu_s": spread(cpus[1]),
            "wall_ratio": ratios(*walls),
            "cpu_ratio": ratios(*cpus),
        },
        goals={"wall_ratio": "<= 0.55"},
        machine_before=facts,
    )
    return 0


def write_strategy(folder: Path, number: int, *, has_memory: bool) -> str:
    """Write a generated strategy; return its name."""
    kind = list(_KINDS)[number // 2 % len(_KINDS)]
    indicators, entry, leave = _KINDS[kind]
    turn = number // (2 * len(_KINDS))
    numbers: dict[str, float] = {"a": 12 + 5 * turn, "b": 26 + 2 * turn + 4 * (number % 2)}
    numbers["c"] = 0.001 + 0.0015 * (number % 2)
    name = f"{kind}{number}"
    source = _SOURCE.format(
        name=name,
        tag=kind.lower(),
        mixin_import="from freqtrade_mem0.mixin import Mem0Mixin\n" if has_memory else "",
        mixin_base="Mem0Mixin, " if has_memory else "",
        indicators=indicators.format(**numbers),
        entry=entry.format(**numbers),
        exit=leave.format(**numbers),
    )
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name.lower()}.py").write_text(source, encoding="utf-8")
    return name


def backtest(traded: Market, folder: Path, name: str, *, has_memory: bool) -> Took:
    """Run one plain backtest, with an empty memory or without one."""
    with tempfile.TemporaryDirectory(dir=folder) as userdir:
        options = arguments_of(
            traded,
            Path(userdir),
            strategies=folder / f"strategies-{has_memory}",
            name=name,
            mem0={"mode": "local"} if has_memory else None,
        )
        command = ["-m", "freqtrade", "backtesting", *options, "--cache", "none"]
        return run(command, Path(userdir) / "log")


def compare(traded: Market, folder: Path, names: list[str], jobs: int) -> Took:
    """Compare all strategies, with the statistics and the table that follow."""
    with tempfile.TemporaryDirectory(dir=folder) as userdir:
        options = arguments_of(
            traded,
            Path(userdir),
            strategies=folder / "strategies-False",
            name=names[0],
            mem0={"mode": "local"},
        )
        command = ["-m", "freqtrade_mem0.cli.main", "compare", *options, "--jobs", str(jobs)]
        return run([*command, "--strategy", *names], Path(userdir) / "log")


if __name__ == "__main__":
    sys.exit(main())
