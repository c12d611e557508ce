"""What each step of a bot's path of a stake and of a closed trade takes, against its budget.

    make bench BENCH=steps
    python -m benchmarks.bench_steps [--trades 400] [--table]

A dry-run bot walks trades through its callbacks as `bench_callbacks` has it, idle, with the real
analysis of 999 candles before each. In between, the functions that `steps.STEPS` names are timed:
processor time of their own thread, so that waiting is not in it. Before each stake, where caches
hold what the analysis needed, a fixed piece of plain Python is timed in the same way
(`reference_us`). Budgets hold where it takes 100 us, and grow
and shrink with it, so that they hold on another machine, too. `--table` prints the table of the
documentation instead of JSON.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import bench_callbacks
from benchmarks.measuring import machine, print_result, quantiles, readable
from benchmarks.steps import REFERENCE_US, STEPS, Step, budgets, table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_PAUSE_S = 0.001
_WARM = 50
"""Trades that are walked first and not counted."""


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trades", type=int, default=400)
    parser.add_argument("--table", action="store_true", help="Print the table, not JSON.")
    options = parser.parse_args()
    facts = machine()
    times, references = walked(options.trades)
    missing = [step.name for step in STEPS if not times[step.name]]
    if missing:
        raise SystemExit(
            f"These steps of benchmarks/steps.py were never taken: {', '.join(missing)}. Name the "
            "functions that do their work now."
        )
    reference_us = statistics.median(references)
    if options.table:
        scale = REFERENCE_US / reference_us
        print(table({name: readable(scale * statistics.median(us)) for name, us in times.items()}))
        return 0
    print_result(
        "steps",
        asked={"trades": options.trades},
        figures={
            "reference_us": quantiles(references),
            "us": {step.name: quantiles(times[step.name]) for step in STEPS},
        },
        budgets=budgets(reference_us),
        machine_before=facts,
    )
    return 0


def walked(n_trades: int) -> tuple[dict[str, list[float]], list[float]]:
    """Walk trades; return the microseconds of each step, and of the reference."""
    logging.disable(logging.WARNING)
    times: dict[str, list[float]] = defaultdict(list)
    references: list[float] = []
    bench_callbacks.BETWEEN_S = _PAUSE_S
    for step in STEPS:
        time_calls(step, times[step.name])
    with tempfile.TemporaryDirectory() as folder:
        bot = bench_callbacks.Bot(Path(folder), {"mode": "local"})
        bot.after_analysis = lambda: references.append(reference())
        for number in range(_WARM + n_trades):
            if number == _WARM:
                for each in times.values():
                    each.clear()
            bot.trade(number)
        bot.strategy.ft_bot_cleanup()
    return times, references[_WARM:]


def time_calls(step: Step, us: list[float]) -> None:
    """Put a clock around a function; each call adds its microseconds."""
    holder, name = step.holder()
    function: Callable[..., Any] = getattr(holder, name)

    @wraps(function)
    def timed(*args: Any, **kwargs: Any) -> Any:
        began_s = time.thread_time()
        answer = function(*args, **kwargs)
        us.append(1e6 * (time.thread_time() - began_s))
        return answer

    @wraps(function)
    def timed_by_entry(self: Any, entries: Iterable[Any]) -> Any:
        n = 0

        def counted() -> Iterator[Any]:
            nonlocal n
            for each in entries:
                n += 1
                yield each

        began_s = time.thread_time()
        answer = function(self, counted())
        us.append(1e6 * (time.thread_time() - began_s) / max(n, 1))
        return answer

    setattr(holder, name, timed_by_entry if step.per_entry else timed)


def reference() -> float:
    """Return the microseconds of a fixed piece of work, of the kind that callbacks do."""
    began_s = time.thread_time()
    found: dict[str, float] = {}
    for number in range(160):
        name = f"pair {number % 20}"
        found[name] = found.get(name, 0.0) * 0.5 + number / 7.0
    json.dumps([{"name": name, "value": value} for name, value in found.items()])
    return 1e6 * (time.thread_time() - began_s)


if __name__ == "__main__":
    sys.exit(main())
