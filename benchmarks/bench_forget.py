"""Forgetting a user of a large memory while a process writes for another one.

    python benchmarks/bench_forget.py [--trades 100000]

Half of the trades, with their decisions, belong to the user who is forgotten; old ones are in the
archive, all others compressed. The other process appends notes all the time. Prints JSON: seconds
for all of it; how long a commit of the other process took, before and meanwhile; and how often the
forgotten names are left in the folder's files.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import tempfile
import time
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.measuring import machine, print_result, spread
from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.bodies.pack import pack
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.views.forgetting import forget
from tests.support.full_memory import CANARY, OTHER, WHOSE, files_with, open_memory
from tests.support.samples import a_decision, a_note, a_trade, at, opened

if TYPE_CHECKING:
    from multiprocessing.queues import Queue
    from multiprocessing.synchronize import Event

    from freqtrade_mem0.journal.append import Opened
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.decision import Decision

BATCH = 1_000


def fill(folder: Path, n_trades: int) -> None:
    """Write half of the trades for each of two users, and age them."""
    for origin in (WHOSE, OTHER):
        memory = open_memory(folder, origin.user_id, mode="local")
        for start in range(0, n_trades // 2, BATCH):
            records: list[Record | Decision | Opened] = []
            for number in range(start, min(start + BATCH, n_trades // 2)):
                decision = a_decision(number, origin=origin)
                trade = a_trade(number, origin=origin, decision_id=decision.id)
                records += [decision, opened(decision, trade), trade]
            memory.journal.append(records)
        memory.close()
    memory = open_memory(folder, mode="local")
    writes, old_ms, all_ms = BriefWrites(memory.journal), to_ms(at(n_trades / 8)), to_ms(at(1e6))
    archive_records(writes, old_ms)
    archive_decisions(writes, old_ms)
    for table in ("records", "decisions"):
        pack(writes, table, all_ms)
    memory.close()


def write(folder: Path, first: int, stop: Event, waits: Queue[list[float]]) -> None:
    """Append notes of the other user until told to stop, and say how long each took."""
    memory, took_s = open_memory(folder, OTHER.user_id, mode="local"), []
    for number in count(first):
        if stop.is_set():
            break
        began_s = time.perf_counter()
        memory.journal.append([a_note(number, origin=OTHER, content=f"note {number}")])
        took_s.append(time.perf_counter() - began_s)
        time.sleep(0.02)
    waits.put(took_s)


def beside(folder: Path, first: int, seconds: float | None) -> tuple[float, list[float]]:
    """Forget, or wait, while another process writes; return the seconds, and its commits'."""
    stop = multiprocessing.Event()
    waits: Queue[list[float]] = multiprocessing.Queue()
    writer = multiprocessing.Process(target=write, args=(folder, first, stop, waits))
    writer.start()
    began_s = time.perf_counter()
    if seconds is None:
        memory = open_memory(folder, mode="local")
        forget(memory, ForgetScope(user_id=WHOSE.user_id))
        memory.close()
    else:
        time.sleep(seconds)
    took_s = time.perf_counter() - began_s
    stop.set()
    commits = waits.get()
    writer.join()
    return took_s, commits


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=100_000)
    asked = parser.parse_args()
    facts = machine()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fill(folder, asked.trades)
        _, alone_s = beside(folder, 500_000, 10.0)
        took_s, beside_s = beside(folder, 800_000, None)
        left = files_with(folder, CANARY)
    print_result(
        "forget",
        asked={"trades": asked.trades},
        figures={
            "seconds": round(took_s, 1),
            "commits_beside_s": {"without": spread(alone_s), "meanwhile": spread(beside_s)},
            "slowest_commits_s": [round(each, 3) for each in sorted(beside_s)[-5:]],
            "files_with_the_name": left,
        },
        goals={"files_with_the_name": "none"},
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
