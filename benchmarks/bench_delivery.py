"""What delivery to the embedded Mem0 costs a backtest: as a process, beside the run, and in parts.

    python benchmarks/bench_delivery.py [--records 6000] [--rounds 5]

Trades with situations and their decisions, as a backtest leaves them. Prints JSON, the least of
some rounds, as machines are noisy:

* `process`: `freqtrade-mem0 deliver` as a backtest starts it, from its start to its end, with all
  records waiting, and (`start_s`) with none.
* `beside`: the records are journalled in a backtest's batches while that process delivers. `end_s`
  is what is waited for at the end of the run; `append_ms` the longest append, `append_alone_ms`
  without the process.
* `parts`: milliseconds per 1,000 records in one process.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_rebuild import trade
from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder
from freqtrade_mem0.backends.sqlite.store import SqliteStore
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.child import Deliverer
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.mapping import to_memory
from tests.support.samples import a_decision, opened

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.journal.append import Entry

TRADES_PER_APPEND = 667
"""As `JournalWriter` appends for a backtest: 2,000 entries."""

SETTINGS = Settings.model_validate({"user_id": "me"})
COMMAND = [sys.executable, "-m", "freqtrade_mem0.cli.main", "deliver", "--settings-from-stdin"]


def entries_of(first: int, last: int) -> list[Entry]:
    """Return what a backtest notes of some trades."""
    trades = [trade(number) for number in range(first, last)]
    decisions = [a_decision(number) for number in range(first, last)]
    fills = [opened(*pair) for pair in zip(decisions, trades, strict=True)]
    return [*decisions, *fills, *trades]


def a_store(folder: Path, n: int) -> MemoryFolder:
    """Return a memory in which `n` records wait."""
    store = MemoryFolder(SETTINGS, folder)
    store.journal.append(entries_of(0, n))
    return store


def process(n: int) -> tuple[float, float]:
    """Return seconds by the clock and of the processor for a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        a_store(Path(folder), n).close()
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [*COMMAND, "--userdir", folder],
            input=f"{SETTINGS.model_dump_json()}\nfinish\n",
            text=True,
            check=True,
            stderr=subprocess.DEVNULL,
        )
        wall_s, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall_s, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def beside(n: int, *, delivers: bool) -> tuple[float, float]:
    """Return seconds waited at the end of a run, and the longest append in milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        store = a_store(Path(folder), 0)
        store.journal.connection.is_patient = False
        deliverer = Deliverer(SETTINGS, Path(folder)) if delivers else None
        if deliverer is not None:
            deliverer.lower_priority()
        longest_s = 0.0
        for first in range(0, n, TRADES_PER_APPEND):
            entries = entries_of(first, min(first + TRADES_PER_APPEND, n))
            began = time.perf_counter()
            store.journal.append(entries)
            longest_s = max(longest_s, time.perf_counter() - began)
            time.sleep(3.0 * TRADES_PER_APPEND / 1_000)  # the strategy's and Freqtrade's own work
        began = time.perf_counter()
        if deliverer is not None:
            deliverer.finish()
        waited_s = time.perf_counter() - began
        store.close()
    return waited_s, 1_000.0 * longest_s


def parts(n: int) -> dict[str, float]:
    """Return milliseconds per 1,000 records of each part of a delivery."""
    spent: dict[str, float] = {}

    def timed(name: str, work: Callable[..., Any], *of: Any) -> Any:
        began = time.perf_counter()
        result = work(*of)
        spent[name] = spent.get(name, 0.0) + time.perf_counter() - began
        return result

    with tempfile.TemporaryDirectory() as folder:
        store = a_store(Path(folder), n)
        embedder = HashingEmbedder()
        memories = SqliteStore(Path(folder) / "memories.sqlite")
        while batch := timed("read", store.outbox.pending, SETTINGS.delivery.batch_size):
            said = timed("memory", list, (to_memory(record) for _, record in batch))
            fields = timed("payload", list, (payload.to_payload(each, str) for each in said))
            vectors = timed("embed", embedder.embed_matrix, [each["data"] for each in fields])
            timed("store", memories.insert, list(vectors), fields, [each.id for each in said])
            timed("mark", store.outbox.delivered, [seq for seq, _ in batch], datetime.now(UTC))
        memories.close()
        store.close()
    return {name: round(1e6 * seconds / n, 1) for name, seconds in spent.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=6_000)
    parser.add_argument("--rounds", type=int, default=5, help="Of each; the least counts.")
    arguments = parser.parse_args()
    n, rounds = arguments.records, range(arguments.rounds)
    whole_s, whole_cpu_s = (min(each) for each in zip(*(process(n) for _ in rounds), strict=True))
    start_s = min(process(0)[0] for _ in rounds)
    runs = [beside(n, delivers=True) for _ in rounds]
    alone = [beside(n, delivers=False) for _ in rounds]
    spent = [parts(n) for _ in rounds]
    print(
        json.dumps(
            {
                "benchmark": "delivery",
                "records": n,
                "rounds": arguments.rounds,
                "process": {
                    "seconds": round(whole_s, 2),
                    "cpu_seconds": round(whole_cpu_s, 2),
                    "start_s": round(start_s, 2),
                    "records_per_second": round(n / whole_s),
                    "seconds_per_5000": round(5_000 * whole_s / n, 2),
                },
                "beside": {
                    "end_s": round(min(end_s for end_s, _ in runs), 2),
                    "append_ms": round(min(ms for _, ms in runs), 1),
                    "append_alone_ms": round(min(ms for _, ms in alone), 1),
                },
                "parts": {name: min(each[name] for each in spent) for name in spent[0]},
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
