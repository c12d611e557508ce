"""Backups beside four writing processes: do all restore and decide the same, how long it takes.

    python benchmarks/bench_backup.py [--backups 100] [--trades 500]

The writers append trades, decisions and their ties to the same journal all the time. Each backup is
restored into an empty folder and asked there once more. Prints JSON: how many of the backups were
restored, had differing decisions, or a decision without its trade; seconds for one backup; the
longest time a writer waited for a commit, with and without backups.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.bench_rebuild import trade
from benchmarks.measuring import ROOT, machine, print_result, spread
from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.restore import restore_backup
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.memory_folder import MemoryFolder

N_WRITERS = 4
WRITER = """
import itertools, sys, time
from pathlib import Path
from benchmarks.bench_rebuild import trade
from freqtrade_mem0.journal.journal import Journal
from tests.support.samples import a_decision, at, opened
journal, stop, start = Journal(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3])
longest_s = 0.0
for number in itertools.count(start):
    if stop.exists():
        break
    decision = a_decision(number, decided_at=at(number / 10))
    began_s = time.perf_counter()
    journal.append([decision, trade(number), opened(decision, trade(number))])
    longest_s = max(longest_s, time.perf_counter() - began_s)
    time.sleep(0.5)
print(longest_s)
"""


class Writers:
    """Processes that write to one journal; their numbers never meet those of others."""

    def __init__(self, folder: Path, first: int) -> None:
        self._stop = folder.with_name(f"stop-{first}")
        command = [sys.executable, "-c", WRITER, str(folder), str(self._stop)]
        self._processes = [
            subprocess.Popen(
                [*command, str(first + n)], stdout=subprocess.PIPE, text=True, cwd=ROOT
            )
            for n in range(0, N_WRITERS * 20_000, 20_000)
        ]

    def stop(self) -> float:
        """Let them end; return the longest wait for a commit, in seconds."""
        self._stop.touch()
        return max(float(each.communicate()[0]) for each in self._processes)


def n_loose(folder: Path) -> int:
    """Return how many decisions of a restored journal lack the trade that was written with them."""
    with closing(sqlite3.connect(folder / "journal.sqlite")) as sqlite:
        (n,) = sqlite.execute(
            "SELECT count(*) FROM decisions WHERE trade_id IS NOT NULL"
            " AND trade_id NOT IN (SELECT id FROM records)"
        ).fetchone()
    return int(n)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backups", type=int, default=100)
    parser.add_argument("--trades", type=int, default=500)
    asked = parser.parse_args()
    facts = machine()
    took_s, n_restored, n_differing, n_torn = [], 0, 0, 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        memory = MemoryFolder(Settings(user_id="me"), place)
        memory.journal.append([trade(n) for n in range(1, asked.trades)])
        delivery_of(memory).drain(3_600.0)
        writers = Writers(memory.folder, 100_000)
        time.sleep(10.0)
        alone_s = writers.stop()
        writers = Writers(memory.folder, 200_000)
        for _ in range(asked.backups):
            began_s = time.perf_counter()
            made = make_backup(memory, place / "b.zip", datetime.now(UTC))
            took_s.append(time.perf_counter() - began_s)
            restored = restore_backup(made.path, place / "restored", datetime.now(UTC))
            n_restored += 1
            n_differing += restored.backup.n_compared != made.n_compared
            n_torn += n_loose(place / "restored") > 0
            shutil.rmtree(place / "restored")
            made.path.unlink()
        beside_s = writers.stop()
        n_records = made.manifest.counts["records"]
        n_megabytes = sum(each.bytes for each in made.manifest.files.values()) / 1e6
        memory.close()
    print_result(
        "backup",
        asked={"backups": asked.backups, "trades": asked.trades},
        figures={
            "restored": n_restored,
            "differing": n_differing,
            "torn": n_torn,
            "backup_s": spread(took_s),
            "records_at_the_end": n_records,
            "megabytes_at_the_end": round(n_megabytes, 1),
            "longest_commit_s": {"without": round(alone_s, 3), "beside": round(beside_s, 3)},
        },
        goals={"restored": "all", "differing": "0", "torn": "0"},
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
