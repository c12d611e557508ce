"""What encryption costs: writes, a bot's start and decisions, each plain and encrypted in one run.

    python benchmarks/bench_encryption.py [N]

N trades (10,000) are appended by 500, as an import does, and N rows of 1,000 bytes by 500 without
our code around them. A start opens the memory and reads recall; a decision asks recall, in memory.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.encryption.envelope import unwrap
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.run.replay import Replay
from tests.support.samples import ORIGIN, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.records.kinds.trade import TradeRecord

_BATCH = 500
_ROUNDS = 9
_ASKED = 200


def opened(folder: Path, *, encrypted: bool) -> MemoryFolder:
    """Open the memory in a folder."""
    block = {"key": "env:BENCH_KEY"} if encrypted else {}
    settings = Settings.model_validate(
        {"mode": "local", "user_id": ORIGIN.user_id, "encryption": block}
    )
    return MemoryFolder(settings, folder)


def seconds(act: Callable[[], object]) -> float:
    """Return how long something takes."""
    began_s = time.perf_counter()
    act()
    return time.perf_counter() - began_s


def measure(folder: Path, trades: list[TradeRecord], *, encrypted: bool) -> dict[str, float]:
    """Return rows a second, and seconds of a start and of a decision."""
    memory = opened(folder, encrypted=encrypted)
    memory.journal.append(trades[:1])

    def write() -> None:
        for start in range(1, len(trades), _BATCH):
            memory.journal.append(trades[start : start + _BATCH])

    written_s = seconds(write)
    with memory.journal.connection.write() as sqlite:
        sqlite.execute("CREATE TABLE bulk (number INTEGER PRIMARY KEY, text TEXT)")
    rows = [(os.urandom(500).hex(),) for _ in range(_BATCH)]

    def write_rows() -> None:
        for _ in range(0, len(trades), _BATCH):
            with memory.journal.connection.write() as sqlite:
                sqlite.executemany("INSERT INTO bulk (text) VALUES (?)", rows)

    bulk_s = seconds(write_rows)
    memory.close()

    memory = opened(folder, encrypted=encrypted)
    replay = Replay(memory, ORIGIN)
    replay.asked("A/USDT", "long", "tag", at(1e6), {}, stake=100.0)
    decisions = [
        seconds(lambda: replay.asked("A/USDT", "long", "tag", at(1e6), {}, stake=100.0))
        for _ in range(_ASKED)
    ]
    memory.close()
    return {
        "trades a second": len(trades) / written_s,
        "rows a second": len(trades) / bulk_s,
        "decision [us]": 1e6 * median(decisions),
    }


def start_s(folder: Path, *, encrypted: bool) -> float:
    """Return how long it takes to open a memory and to answer the first question."""
    unwrap.cache_clear()  # a new process derives the key from the owner's

    def start() -> None:
        memory = opened(folder, encrypted=encrypted)
        Replay(memory, ORIGIN).asked("A/USDT", "long", "tag", at(1e6), {}, stake=100.0)
        memory.close()

    return seconds(start)


def main() -> None:
    """Measure and print."""
    os.environ["BENCH_KEY"] = "a key of the benchmark"
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    trades = [a_trade(number) for number in range(n)]
    found = {}
    with TemporaryDirectory() as place:
        for encrypted in (False, True):
            found[encrypted] = measure(Path(place, str(encrypted)), trades, encrypted=encrypted)
        starts: dict[bool, list[float]] = {False: [], True: []}
        for each in (False, True) * _ROUNDS:  # in turn, so that other load meets both
            starts[each].append(start_s(Path(place, str(each)), encrypted=each))
        for each, taken in starts.items():
            found[each]["start [ms]"] = 1e3 * median(taken)
    print(f"{'':16}{'plain':>12}{'encrypted':>12}{'ratio':>8}")
    for name, plain in found[False].items():
        print(f"{name:16}{plain:12,.1f}{found[True][name]:12,.1f}{found[True][name] / plain:8.2f}")


if __name__ == "__main__":
    main()
