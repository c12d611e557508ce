"""How long one cycle of `freqtrade-mem0 maintain` takes over a whole memory, and what it leaves.

    python -m benchmarks.bench_cycle [--trades 100000] [--year 3650] [--pairs 20] [--risk-every 5]

Embedded memories with default settings: journal with ledger, and Mem0's store, filled and delivered
as bots do it. `archive` is older than any limit when the cycle begins. The years are ten trades a
day, looked at on their last day: `year` in ten pairs without risk events, `year_of_pairs` as asked
for. `cycle_to_filling` is the cycle's processor time as a multiple of what writing and delivering
the same memory took in the same process. Prints JSON; sizes are those of the closed files.
"""

from __future__ import annotations

import argparse
import logging
import random
import sqlite3
import tempfile
import time
from collections import defaultdict
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_lifecycle import entries
from benchmarks.measuring import machine, measured, print_result, readable
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.lifecycle.cycle import run_cycle
from freqtrade_mem0.memory_folder import MemoryFolder
from tests.support.samples import at

if TYPE_CHECKING:
    from datetime import datetime

_HOURS = 2.4
_BATCH = 500
_LARGEST_PARTS = 10


def filled(folder: Path, n_trades: int, pairs: int, risk_every: int) -> MemoryFolder:
    """Return an embedded memory with so many trades, all delivered."""
    settings = Settings.model_validate({"mode": "embedded", "user_id": "me"})
    memory, chance = MemoryFolder(settings, folder), random.Random(7)
    memory.journal.connection.is_patient = False
    for first in range(0, n_trades, _BATCH):
        numbers = range(first, min(first + _BATCH, n_trades))
        memory.journal.append(
            [each for n in numbers for each in entries(n, chance, pairs, risk_every)]
        )
    if not delivery_of(memory).drain(3_600.0):
        raise SystemExit(f"Not delivered: {memory.outbox.state()}.")
    return memory


def of_cycle(
    folder: Path,
    *,
    n_trades: int,
    pairs: int,
    risk_every: int,
    days_later: float,
    alone: bool = True,
) -> dict[str, Any]:
    """Return what a cycle over a new memory took and left."""
    with measured() as filling:
        memory = filled(folder, n_trades, pairs, risk_every)
    memory.close()
    before = sizes(folder)
    with measured() as cycle:
        steps, report = run(memory, at(n_trades * _HOURS) + timedelta(days=days_later), alone)
    memory.close()
    after = sizes(folder)
    return {
        "cycle_s": readable(cycle.wall_s),
        "cycle_cpu_s": readable(cycle.cpu_s),
        "cycle_s_of_100000": readable(cycle.wall_s * 1e5 / n_trades),
        "cycle_to_filling": readable(cycle.cpu_s / filling.cpu_s),
        "step_s": steps,
        "megabytes_before": before,
        "megabytes": after,
        "megabytes_in_all": readable(sum(after.values())),
        "smaller_ratio": readable(1.0 - sum(after.values()) / sum(before.values())),
        "bytes_per_trade": parts(folder, n_trades),
        "raw": {"counts": report},
    }


def run(memory: MemoryFolder, now: datetime, alone: bool) -> tuple[dict[str, float], Any]:
    """Run a cycle; return the seconds of each thing it told of, and its counts."""
    seconds: defaultdict[str, float] = defaultdict(float)
    now_at, since_s = "Measuring", time.perf_counter()

    def progress(what: str, _done: int, _total: int) -> None:
        nonlocal now_at, since_s
        if what != now_at:
            seconds[now_at] += time.perf_counter() - since_s
            now_at, since_s = what, time.perf_counter()

    report = run_cycle(memory, now, alone=alone, progress=progress)
    progress("", 0, 0)
    return {what: readable(each) for what, each in seconds.items()}, report.counts


def sizes(folder: Path) -> dict[str, float]:
    """Return the size of each file, in megabytes, without those of no size."""
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    return {each.name: readable(each.stat().st_size / 1e6) for each in files if each.stat().st_size}


def parts(folder: Path, n_trades: int) -> dict[str, float]:
    """Return the bytes a trade of the largest tables and indexes, where SQLite tells them."""
    found: dict[str, float] = {}
    for file in folder.rglob("*.sqlite"):
        with closing(sqlite3.connect(file)) as connection:
            try:
                rows = connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name")
                found |= {f"{file.stem}.{name}": size / n_trades for name, size in rows}
            except sqlite3.OperationalError:  # built without the table `dbstat`
                return {}
    largest = sorted(found.items(), key=lambda each: -each[1])[:_LARGEST_PARTS]
    return {name: readable(size) for name, size in largest}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trades", type=int, default=100_000, help="Of the archive; 0: none.")
    parser.add_argument("--year", type=int, default=3_650, help="Of the years; 0: none.")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--risk-every", type=int, default=5, metavar="N", help="0: no risk events.")
    parser.add_argument(
        "--beside", action="store_true", help="As where other processes use the memory."
    )
    parser.add_argument("--folder", type=Path, help="Keep the memories there.")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    facts = machine()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        own = {"pairs": asked.pairs, "risk_every": asked.risk_every, "alone": not asked.beside}
        plans: list[tuple[str, dict[str, Any]]] = []
        if asked.year:
            year = {"n_trades": asked.year, "days_later": 0.0}
            plans += [("year", own | year | {"pairs": 10, "risk_every": 0})]
            plans += [("year_of_pairs", own | year)]
        if asked.trades:
            plans += [("archive", own | {"n_trades": asked.trades, "days_later": 400.0})]
        for name, plan in plans:
            figures[name] = of_cycle(folder / name, **plan)
    print_result(
        "cycle",
        asked={name: value for name, value in vars(asked).items() if name != "folder"},
        figures=figures,
        goals={
            "archive.cycle_s_of_100000": "<= 60",
            "archive.smaller_ratio": ">= 0.9",
            "year.megabytes_in_all": "<= 4",
            "year_of_pairs.megabytes_in_all": "<= 4",
        },
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
