"""What the mixin costs commands that do not trade, and how long `freqtrade-mem0` takes to answer.

    python benchmarks/bench_startup.py [--rounds 40]

The same folder with the example strategy, with the mixin and without, listed in turn, paired by
round; and the import of `freqtrade_mem0.mixin` in an interpreter that has Freqtrade's strategies
loaded, as Freqtrade has when it meets the strategy file. `freqtrade-mem0 --help`, and `stats` of
200 trades that are in the embedded Mem0. Prints JSON, milliseconds.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

from benchmarks.freqtrade_commands import run, write_strategies
from benchmarks.measuring import differences, in_turn, machine, print_result, spread
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.memory_folder import MemoryFolder
from tests.support.samples import a_trade

VARIANTS = ("plain", "with_mixin")
COMMANDS = ("--help", "stats")
GOALS = {"help_ms.median": "<= 200", "stats_cpu_ms.median": "<= 400"}
IMPORT = """
import sys, time
import freqtrade.strategy, freqtrade.exceptions
began_s = time.perf_counter()
import freqtrade_mem0.mixin
print(time.perf_counter() - began_s)
"""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=40, help="Runs of each variant.")
    asked = parser.parse_args()
    facts = machine()
    wall_ms: dict[str, list[float]] = defaultdict(list)
    cpu_ms: dict[str, list[float]] = defaultdict(list)
    import_ms = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for variant in VARIANTS:
            write_strategies(folder / variant, has_memory=variant == "with_mixin")
        for _, variant in in_turn(VARIANTS, asked.rounds):
            wall_s, cpu_s = listed(folder, variant)
            wall_ms[variant].append(1_000 * wall_s)
            cpu_ms[variant].append(1_000 * cpu_s)
        for _ in range(asked.rounds):
            run(["-c", IMPORT], folder / "import.log")
            import_ms.append(1_000 * float((folder / "import.log").read_text().split()[-1]))
        fill(folder / "memory")
        for _, command in in_turn(COMMANDS, asked.rounds):
            took = run(
                ["-m", "freqtrade_mem0.cli.main", command, "--userdir", str(folder / "memory")],
                folder / "command.log",
            )
            wall_ms[command].append(1_000 * took.wall_s)
            cpu_ms[command].append(1_000 * took.cpu_s)
    print_result(
        "startup",
        asked={"rounds": asked.rounds},
        figures={
            "list_strategies_ms": {each: spread(wall_ms[each]) for each in VARIANTS},
            "mixin_adds_ms": differences(wall_ms["with_mixin"], wall_ms["plain"]),
            "mixin_adds_cpu_ms": differences(cpu_ms["with_mixin"], cpu_ms["plain"]),
            "import_mixin_ms": spread(import_ms),
            "help_ms": spread(wall_ms["--help"]),
            "help_cpu_ms": spread(cpu_ms["--help"]),
            "stats_ms": spread(wall_ms["stats"]),
            "stats_cpu_ms": spread(cpu_ms["stats"]),
        },
        goals=GOALS,
        machine_before=facts,
    )
    return 0


def fill(userdir: Path) -> None:
    """Write a small memory, delivered to the embedded Mem0."""
    memory = MemoryFolder(Settings.model_validate({"enabled": True}), userdir)
    memory.journal.append([a_trade(number) for number in range(200)])
    delivery_of(memory).drain(60.0)
    memory.close()


def listed(folder: Path, variant: str) -> tuple[float, float]:
    """List the strategies of a variant's folder; return seconds by the clock and the processor."""
    userdir = folder / f"user-{variant}"
    userdir.mkdir(exist_ok=True)
    where = ["--userdir", str(userdir), "--strategy-path", str(folder / variant)]
    took = run(["-m", "freqtrade", "list-strategies", *where], folder / f"{variant}.log")
    return took.wall_s, took.cpu_s


if __name__ == "__main__":
    sys.exit(main())
