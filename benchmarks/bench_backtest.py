"""What memory costs a backtest: the whole `freqtrade backtesting` command, and its loop alone.

    python benchmarks/bench_backtest.py [--rounds 5] [--days 120]
        [--datadir FOLDER --timeframe 5m --timerange 20240101-20240301]
        [--samples | --instructions]

Real processes on generated candles (about 2,900 trades by default), in turn, in another order each
round:

* `plain`: the example strategy without the mixin;
* `local`: with it, journal alone;
* `embedded`: with it, delivery to the embedded Mem0 at the end included;
* `deferred`: the same with `flush_timeout_s: 0`, which leaves delivery to the next process; that
  (`freqtrade-mem0 deliver`, the import of Mem0 included) is run and measured after it, apart.

Prints JSON. Each ratio is paired with the plain run of its round. `loop` is `Backtesting.backtest`,
`after_loop_s` the time from its end to the end of the command. Processor time of a command has
that of the processes it waited for. With `--instructions` each variant is run once and its
instructions are counted (valgrind, fifty times as slow): two lengths of time tell what a trade
costs, and what the start and the end of the command cost.

With `--samples` each variant but `plain` is run once, and its stack is looked at every few ms of
processor time: `share` says what part of it memory took, in the whole command, in the loop, and so
on. One run is enough, whatever else the machine does; but what memory makes slower in Freqtrade, as
it uses the same caches, is not in it. `functions` are the 30 of memory where most of it was.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.freqtrade_commands import (
    EXAMPLE_NAME,
    Market,
    Took,
    arguments_of,
    asked_market,
    environment,
    market,
    market_options,
    run,
    write_strategies,
)
from benchmarks.instructions import count
from benchmarks.measuring import in_turn, machine, print_result, ratios, spread
from freqtrade_mem0.demo.freqtrade_run import load_backtest

PLAIN = "plain"
VARIANTS: dict[str, dict[str, Any] | None] = {
    PLAIN: None,
    "local": {"mode": "local"},
    "embedded": {"mode": "embedded"},
    "deferred": {"mode": "embedded", "delivery": {"flush_timeout_s": 0}},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One backtest: the command, its loop as `timed_freqtrade` notes it, and what it traded."""

    command: Took
    loop: Mapping[str, float]
    n_trades: int
    deliver: Took | None


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="Runs of each variant.")
    parser.add_argument(
        "--variants", nargs="+", choices=list(VARIANTS), default=list(VARIANTS), help="Which ones."
    )
    parser.add_argument(
        "--instructions", action="store_true", help="Count instructions; slow, never noisy."
    )
    parser.add_argument(
        "--samples", action="store_true", help="Say in what parts of one run memory's time is."
    )
    market_options(parser, days=120)
    asked = parser.parse_args()
    names = list(dict.fromkeys([PLAIN, *asked.variants]))
    facts = machine()
    runs: dict[str, list[Run]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, market(asked, Path(name)) as traded:
        if asked.instructions or asked.samples:
            print_result(
                "backtest",
                asked=asked_market(asked),
                figures={each: counted(traded, Path(name) / each) for each in names}
                if asked.instructions
                else {each: sampled(traded, Path(name) / each) for each in names if each != PLAIN},
                machine_before=facts,
            )
            return 0
        if asked.rounds > 1:  # the first process of all reads its files from the disk
            backtest(traded, Path(name) / "warm-up", None)
        for number, variant in in_turn(names, asked.rounds):
            folder = Path(name) / f"{variant}-{number}"  # an empty memory each time
            runs[variant].append(backtest(traded, folder, VARIANTS[variant]))
    print_result(
        "backtest",
        asked={"rounds": asked.rounds, **asked_market(asked)},
        figures={
            "trades": {variant: runs[variant][-1].n_trades for variant in names},
            **{variant: figures(runs[variant], runs[PLAIN]) for variant in names},
        },
        machine_before=facts,
    )
    return 0


def backtest(traded: Market, folder: Path, mem0: dict[str, Any] | None) -> Run:
    """Run one variant in a folder of its own."""
    options, noted = _command(traded, folder, mem0), folder / "loop.json"
    command = run(["-m", "benchmarks.timed_freqtrade", str(noted), *options], folder / "log")
    metrics, _, _ = load_backtest(folder, EXAMPLE_NAME)
    is_deferred = mem0 is not None and "delivery" in mem0
    return Run(
        command=command,
        loop=json.loads(noted.read_text(encoding="utf-8")),
        n_trades=metrics.n_trades,
        deliver=deliver(traded, folder) if is_deferred else None,
    )


def counted(traded: Market, folder: Path) -> dict[str, int]:
    """Count the instructions of one variant, which the folder is named after, and its trades."""
    command = [sys.executable, "-m", "freqtrade", *_command(traded, folder, VARIANTS[folder.name])]
    n_instructions = count(command, environment())
    return {
        "instructions": n_instructions,
        "trades": load_backtest(folder, EXAMPLE_NAME)[0].n_trades,
    }


def sampled(traded: Market, folder: Path) -> dict[str, Any]:
    """Sample one run of a variant, which the folder is named after: memory's share of each part."""
    file = folder / "samples.json"
    run(
        [
            "-m",
            "benchmarks.sampled_freqtrade",
            str(file),
            *_command(traded, folder, VARIANTS[folder.name]),
        ],
        folder / "log",
    )
    of_processes = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    parts = [(name, part) for process in of_processes for name, part in process.items()]
    n_all, n_memory = Counter[str](), Counter[str]()
    functions = Counter[str]()
    for name, part in parts:
        for each in (name, "command"):
            n_all[each] += part["all"]
            n_memory[each] += part["memory"]
        functions.update({f"{name} {where}": n for where, n in part["functions"].items()})
    return {
        "trades": load_backtest(folder, EXAMPLE_NAME)[0].n_trades,
        "samples": dict(n_all),
        "share": {each: round(n_memory[each] / n_all[each], 4) for each in n_all},
        "ratio": {
            each: round(n_all[each] / (n_all[each] - n_memory[each]), 4)
            for each in n_all
            if n_all[each] > n_memory[each]
        },
        "functions": dict(functions.most_common(30)),
    }


def _command(traded: Market, folder: Path, mem0: dict[str, Any] | None) -> list[str]:
    """Write a variant's strategy and config, and return the arguments of its backtest."""
    strategies = write_strategies(folder / "strategies", has_memory=mem0 is not None)
    arguments = arguments_of(traded, folder, strategies=strategies, name=EXAMPLE_NAME, mem0=mem0)
    # Stored results must not stand in for a run: memory would not be asked.
    return ["backtesting", *arguments, "--cache", "none", "--export", "trades"]


def deliver(traded: Market, folder: Path) -> Took:
    """Bring to Mem0 what a backtest left in the journal, as a process that may wait would."""
    arguments = arguments_of(
        traded, folder, strategies=folder, name=EXAMPLE_NAME, mem0=VARIANTS["embedded"]
    )
    command = ["-m", "freqtrade_mem0.cli.main", "deliver", *arguments[:4]]
    return run(command, folder / "deliver.log")


def figures(runs: list[Run], plain: list[Run]) -> dict[str, Any]:
    """Return the figures of a variant, beside those of the plain runs of the same rounds."""
    series = {
        "command_wall": [[each.command.wall_s for each in part] for part in (runs, plain)],
        "command_cpu": [[each.command.cpu_s for each in part] for part in (runs, plain)],
        "loop_wall": [[each.loop["wall_s"] for each in part] for part in (runs, plain)],
        "loop_cpu": [[each.loop["cpu_s"] for each in part] for part in (runs, plain)],
    }
    found: dict[str, Any] = {}
    for name, (own, others) in series.items():
        found[f"{name}_s"] = spread(own)
        if runs is not plain:
            found[f"{name}_ratio"] = ratios(own, others)
    found["after_loop_s"] = spread([run.command.ended_s - run.loop["ended_s"] for run in runs])
    delivered = [run.deliver for run in runs if run.deliver is not None]
    if delivered:
        found["deliver_afterwards_wall_s"] = spread([took.wall_s for took in delivered])
        found["deliver_afterwards_cpu_s"] = spread([took.cpu_s for took in delivered])
    return found


if __name__ == "__main__":
    sys.exit(main())
