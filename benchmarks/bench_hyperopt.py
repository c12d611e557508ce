"""What memory costs a hyperopt: `freqtrade hyperopt -j 2`, with the mixin and without.

    python benchmarks/bench_hyperopt.py [--rounds 5] [--epochs 30] [--days 40] [--workers 2]

Real processes on generated candles, paired by round, in another order each round. Both search the
same number with the same seed; as stakes differ, so may the epochs' results, not their number.
Prints JSON.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.freqtrade_commands import (
    EXAMPLE_NAME,
    arguments_of,
    asked_market,
    market,
    market_options,
    run,
    write_strategies,
)
from benchmarks.measuring import in_turn, machine, print_result, ratios, spread

if TYPE_CHECKING:
    from benchmarks.freqtrade_commands import Took

NAME = "Tuned"
TUNED = f'''

from freqtrade.strategy import IntParameter


class {NAME}({EXAMPLE_NAME}):
    """The example, with one of its numbers to be found."""

    heat = IntParameter(70, 86, default=78, space="sell")

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict) -> DataFrame:
        self.overheated_rsi = self.heat.value
        return super().populate_exit_trend(dataframe, metadata)
'''
VARIANTS: dict[str, dict[str, Any] | None] = {"plain": None, "with_memory": {"mode": "embedded"}}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5, help="Runs of each variant.")
    parser.add_argument("--epochs", type=int, default=30, help="Of each run.")
    parser.add_argument("--workers", type=int, default=2, help="Processes of hyperopt.")
    market_options(parser, days=40)
    asked = parser.parse_args()
    facts = machine()
    took: dict[str, list[Took]] = defaultdict(list)
    search = ["--epochs", str(asked.epochs), "--job-workers", str(asked.workers)]
    search += ["--spaces", "sell", "--random-state", "42", "--min-trades", "1"]
    search += ["--hyperopt-loss", "OnlyProfitHyperOptLoss"]
    with tempfile.TemporaryDirectory() as name, market(asked, Path(name)) as traded:
        for number, variant in in_turn(list(VARIANTS), asked.rounds):
            folder, mem0 = Path(name) / f"{variant}-{number}", VARIANTS[variant]
            strategies = write_strategies(
                folder / "strategies", has_memory=mem0 is not None, more=TUNED
            )
            arguments = arguments_of(traded, folder, strategies=strategies, name=NAME, mem0=mem0)
            command = ["-m", "freqtrade", "hyperopt", *arguments, *search]
            took[variant].append(run(command, folder / "log"))
    wall_s = {variant: [each.wall_s for each in took[variant]] for variant in VARIANTS}
    cpu_s = {variant: [each.cpu_s for each in took[variant]] for variant in VARIANTS}
    print_result(
        "hyperopt",
        asked={
            "rounds": asked.rounds,
            "epochs": asked.epochs,
            "workers": asked.workers,
            **asked_market(asked),
        },
        figures={
            "wall_s": {variant: spread(values) for variant, values in wall_s.items()},
            "cpu_s": {variant: spread(values) for variant, values in cpu_s.items()},
            "wall_ratio": ratios(wall_s["with_memory"], wall_s["plain"]),
            "cpu_ratio": ratios(cpu_s["with_memory"], cpu_s["plain"]),
        },
        machine_before=facts,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
