"""What a cycle leaves of a journal, and how long it takes beside a bot that writes.

    python benchmarks/bench_lifecycle.py [--trades 100000] [--year 3650]

Two journals with decisions as large as real ones, a risk event for every fifth trade, and all of it
delivered. One is older than any limit, and archived while another process writes a mark every
50 ms. The other is a year of ten trades a day, with the default ages. What recall reads is compared
before and after; the benchmark fails where a bit has changed. Prints JSON; sizes are of the file,
after its log was emptied.
"""

from __future__ import annotations

import argparse
import logging
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import machine, print_result
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.step import Work
from freqtrade_mem0.lifecycle.steps import shrink, tiers
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.decision import AccountState, Reason
from freqtrade_mem0.situation.words import calendar, regimes
from tests.support.samples import NOTED, ORIGIN, a_decision, a_risk_event, a_trade, at, opened

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.journal.journal import Journal

BOT = replace(ORIGIN, run_id="a-bot-on-an-exchange")
_HOURS = 2.4
_BATCH = 500
_LEVELS = ("strategy", "pair", "side", "enter_tag", "regime", "pair*side", "session", "weekday")
_FEATURES = ("volatility", "volatility_rank", "trend", "momentum", "volume_ratio", "rsi")

WRITER = """
import sys, time
from pathlib import Path
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.marks import Marks
marks, waits, number = Marks(Journal(Path(sys.argv[1]))), [], 0
print("writes", flush=True)
while not Path(sys.argv[2]).exists():
    number += 1
    began = time.perf_counter()
    marks.set("beside", {"n": number})
    waits.append(1e3 * (time.perf_counter() - began))
    time.sleep(0.05)
waits.sort()
print(len(waits), waits[len(waits) // 2], waits[int(len(waits) * 0.99)], waits[-1], flush=True)
"""


def entries(
    number: int, chance: random.Random, pairs: int = 30, risk_every: int = 5
) -> Iterator[Entry]:
    """Yield a decision, its trade, and a risk event for every `risk_every`-th one (0: for none)."""
    numbers = {name: float(f"{chance.gauss(0.0, 0.1):.6g}") for name in _FEATURES}
    numbers["volatility_rank"] = float(f"{chance.random():.6g}")
    moment_ms = int(at(number * _HOURS).timestamp() * 1_000)
    situation = {**numbers, **regimes(numbers), **calendar(moment_ms)}
    pair = f"P{number % pairs}/USDT"
    decision = a_decision(
        number,
        origin=BOT,
        decided_at=at(number * _HOURS - 3.5),
        pair=pair,
        situation=situation,
        policy="split",
        multiplier=chance.gauss(1.0, 0.1),
        stake=100.0 * chance.gauss(1.0, 0.1),
        reasons=tuple(
            Reason(
                name=level,
                value=pair,
                n_effective=chance.random() * 100.0,
                mean_ratio=chance.gauss(0.0, 0.01),
                effect=chance.gauss(0.0, 0.02),
                mean_error=chance.random() * 0.01,
            )
            for level in _LEVELS
        ),
        account=AccountState(
            followed=chance.random(),
            experts={"response": chance.random(), "bayes": chance.random()},
            earned=chance.gauss(0.0, 1.0),
            floor=-1.78,
            earned_ratio=chance.random(),
            n_trades=float(number),
        ),
    )
    trade = a_trade(
        number,
        origin=BOT,
        closed_at=at(number * _HOURS),
        pair=pair,
        situation=situation,
        decision_id=decision.id,
        profit_ratio=chance.gauss(0.001, 0.02),
        open_rate=chance.random() * 1e4,
        close_rate=chance.random() * 1e4,
        amount=chance.random(),
        stake_amount=decision.stake,
        profit_abs=chance.gauss(0.0, 1.0),
    )
    yield from (decision, opened(decision, trade), trade)
    if risk_every and number % risk_every == 0:
        yield a_risk_event(number, origin=BOT, known_at=trade.known_at)


def filled(folder: Path, n_trades: int) -> MemoryFolder:
    """Return a memory with so many trades, all delivered."""
    settings = Settings.model_validate({"mode": "local", "user_id": "me"})
    memory, chance = MemoryFolder(settings, folder), random.Random(7)
    memory.journal.connection.is_patient = False
    for first in range(0, n_trades, _BATCH):
        numbers = range(first, min(first + _BATCH, n_trades))
        memory.journal.append([each for n in numbers for each in entries(n, chance)])
    outbox = Outbox(memory.journal)
    while waiting := outbox.pending(5_000):
        outbox.delivered([seq for seq, _ in waiting], NOTED)
    return memory


def size(journal: Journal) -> int:
    """Return the bytes of the file, with an empty log."""
    with journal.connection.read() as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return journal.path.stat().st_size


def cycle(memory: MemoryFolder, now: datetime, *, alone: bool) -> float:
    """Do the journal's part of a cycle; return how many seconds it took."""
    work = Work(
        memory=memory,
        now=now,
        dry_run=False,
        alone=alone,
        progress=lambda *_: None,
        has_to_stop=lambda: False,
        pause=time.sleep,
    )
    began = time.perf_counter()
    tiers.run(work)
    shrink.run(work)
    return time.perf_counter() - began


def measured(memory: MemoryFolder, n_trades: int, now: datetime, *, beside: bool) -> dict[str, Any]:
    """Return what a cycle did to a journal; fail where anything that stakes depend on changed."""
    scope = Scope(user_id="me", strategy=BOT.strategy)
    before, n_before = list(memory.journal.evidence.items(scope)), size(memory.journal)
    writer, stop = None, memory.journal.path.with_name("stop")
    if beside:
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(memory.journal.path.parent), str(stop)],
            stdout=subprocess.PIPE,
            text=True,
        )
        next(writer.stdout or iter(("",)))  # it writes
    seconds = cycle(memory, now, alone=not beside)
    figures: dict[str, Any] = {"cycle_s": round(seconds, 2)}
    if writer is not None:
        stop.touch()
        n, median, late, longest = writer.communicate()[0].split()
        figures |= {
            "writes_beside": int(n),
            "write_beside_median_ms": round(float(median), 1),
            "write_beside_p99_ms": round(float(late), 1),
            "write_beside_longest_ms": round(float(longest), 1),
        }
    if list(memory.journal.evidence.items(scope)) != before:
        raise SystemExit("Evidence has changed.")
    n_after = size(memory.journal)
    return figures | {
        "bytes_per_trade_before": round(n_before / n_trades),
        "bytes_per_trade": round(n_after / n_trades),
        "smaller_ratio": round(1.0 - n_after / n_before, 4),
        "megabytes": round(n_after / 1e6, 2),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trades", type=int, default=100_000)
    parser.add_argument("--year", type=int, default=3_650)
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    facts = machine()
    with tempfile.TemporaryDirectory() as folder:
        memory = filled(Path(folder) / "archive", asked.trades)
        later = at(asked.trades * _HOURS) + timedelta(days=400)
        archived = measured(memory, asked.trades, later, beside=True)
        archived["cycle_s_of_100000"] = round(archived["cycle_s"] * 1e5 / asked.trades, 1)
        memory.close()
        memory = filled(Path(folder) / "year", asked.year)
        year = measured(memory, asked.year, at(asked.year * _HOURS), beside=False)
        memory.close()
    print_result(
        "lifecycle",
        asked=vars(asked),
        figures={"archived": archived, "year": year},
        goals={
            "archived.smaller_ratio": ">= 0.9",
            "archived.cycle_s_of_100000": "<= 60",
            "year.bytes_per_trade": "<= 1000",
            "year.megabytes": "<= 4 with Mem0's part",
        },
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
