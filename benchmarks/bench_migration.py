"""What it takes to bring a large journal of format 5 to the newest format, and what a kill does.

    python -m benchmarks.bench_migration [--trades 1000000]

A journal of format 5 with that many trades and their decisions is opened in a process of its own,
which is killed half-way through the time that the whole takes, and opened again. `wal_ratio` is the
largest size of the log, as a multiple of the file's. Prints JSON; fails where a row is missing.
"""

from __future__ import annotations

import argparse
import logging
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_lifecycle import entries
from benchmarks.measuring import machine, print_result, readable
from freqtrade_mem0.journal.append import as_batch
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.rows import INSERT_DECISION, INSERT_RECORD
from freqtrade_mem0.journal.schema import _STEPS, APPLICATION_ID

if TYPE_CHECKING:
    from collections.abc import Callable

_OLD = 5
_BATCH = 2_000

OPENING = """
import logging, resource, sys
from pathlib import Path
from freqtrade_mem0.journal.journal import Journal
logging.disable(logging.WARNING)
print("opens", flush=True)
journal = Journal(Path(sys.argv[1]))
journal.open()
journal.close()
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3, flush=True)
"""


def old_journal(folder: Path, n_trades: int) -> Path:
    """Write a journal of format 5."""
    path, chance = folder / FILE_NAME, random.Random(7)
    with closing(sqlite3.connect(path, isolation_level=None)) as sqlite:
        sqlite.execute("PRAGMA auto_vacuum = INCREMENTAL")
        sqlite.execute("PRAGMA journal_mode = WAL")
        sqlite.execute("PRAGMA synchronous = OFF")
        for statement in (each for step in _STEPS[:_OLD] for each in step):
            sqlite.execute(statement)
        for first in range(0, n_trades, _BATCH):
            numbers = range(first, min(first + _BATCH, n_trades))
            batch = as_batch(each for n in numbers for each in entries(n, chance, risk_every=0))
            sqlite.execute("BEGIN")
            sqlite.executemany(INSERT_RECORD, [row for _, row in batch.records])
            for each, row in batch.decisions.items():
                sqlite.execute(INSERT_DECISION, (*row, *batch.ties[each])).fetchall()
            sqlite.execute("COMMIT")
        sqlite.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        sqlite.execute(f"PRAGMA user_version = {_OLD}")
    return path


def opened(folder: Path, watch: Callable[[], None], kill_after_s: float = 1e9) -> dict[str, float]:
    """Open a journal in a process of its own; return seconds, and megabytes unless killed."""
    command = [sys.executable, "-c", OPENING, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        next(process.stdout or iter(("",)))  # it has begun
        began_s = time.perf_counter()
        while process.poll() is None:
            if time.perf_counter() - began_s > kill_after_s:
                process.send_signal(signal.SIGKILL)
            watch()
            time.sleep(0.05)
        found = {"seconds": readable(time.perf_counter() - began_s)}
        if process.returncode == 0 and process.stdout is not None:
            found["peak_megabytes"] = readable(float(process.stdout.read()))
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trades", type=int, default=1_000_000)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    facts = machine()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        path = old_journal(Path(name), asked.trades)
        before, log, largest = path.stat().st_size, path.with_name(f"{FILE_NAME}-wal"), 0

        def watch() -> None:
            nonlocal largest
            largest = max(largest, log.stat().st_size if log.exists() else 0)

        guess_s = asked.trades * 1e-4
        figures["killed"] = opened(path.parent, watch, guess_s)
        figures["opened_again"] = opened(path.parent, watch)
        journal = Journal(path.parent)
        n_rows = [
            journal.connection.row(f"SELECT count(*) FROM {table}")[0]  # noqa: S608 - fixed names
            for table in ("records", "decisions", "evidence")
        ]
        sound = journal.check()
        journal.close()
        if n_rows != [asked.trades] * 3 or sound != "ok":
            raise SystemExit(f"Rows of records, decisions, evidence: {n_rows}; file: {sound}.")
        figures |= {
            "us_per_trade": readable(figures["opened_again"]["seconds"] * 1e6 / asked.trades),
            "growth_ratio": readable(path.stat().st_size / before),
            "wal_ratio": readable(largest / before),
        }
    print_result(
        "migration",
        asked=vars(asked),
        figures=figures,
        goals={"opened_again.peak_megabytes": "<= 300"},
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
