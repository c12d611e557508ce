"""What a bot's start costs with a long memory: seconds and RAM, with and without the snapshot.

Run `python benchmarks/bench_start.py [--trades 1000000]`; it prints JSON. A journal is filled with
the trades of a sister bot, through `Journal.append`. Then runtimes are started in fresh processes:
on an empty journal, on the full one without a snapshot, and on the full one with the snapshot that
the one before has left. What the empty one takes is the floor that all stand on.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord

ROOT = Path(__file__).parents[1]
STARTED = datetime(2022, 1, 1, tzinfo=UTC)
YEARS = 4
BATCH = 5_000
STRATEGY_NAME = "Sample"
REPEATS = 2_000


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trades", type=int, default=100_000, help="In the journal.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="Keep the journal here, and use it again.")
    parser.add_argument("--start", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if arguments.start is not None:
        print(json.dumps(started(arguments.start)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = arguments.folder or Path(name) / "full"
        fill_s = fill(folder, arguments.trades, arguments.seed)
        for snapshot in folder.rglob("*.snapshot"):
            snapshot.unlink()
        empty = in_a_process(Path(name) / "empty")
        starts = {"without_snapshot": in_a_process(folder), "with_snapshot": in_a_process(folder)}
        size = sum(path.stat().st_size for path in folder.rglob("*.snapshot"))
        for start in starts.values():
            start["seconds_over_empty"] = round(start["seconds"] - empty["seconds"], 3)
            start["mb_over_empty"] = round(start["rss_mb"] - empty["rss_mb"], 1)
    result = {
        "trades": arguments.trades,
        "filled_in_s": round(fill_s, 1),
        "snapshot_mb": round(size / 1e6, 1),
        "empty": empty,
        **starts,
    }
    print(json.dumps(result, indent=2))


def fill(folder: Path, n_trades: int, seed: int) -> float:
    """Append so many trades, where they are not there yet; return the seconds it took."""
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Mode, Origin

    sister = Origin(user_id="me", strategy=STRATEGY_NAME, mode=Mode.DRY_RUN, run_id="sister")
    chance = random.Random(seed)
    journal = Journal(memory_in(folder))
    began_s = time.monotonic()
    for first in range(journal.last_seq(), n_trades, BATCH):
        numbers = range(first, min(first + BATCH, n_trades))
        journal.append([a_trade(number, n_trades, sister, chance) for number in numbers])
    journal.close()
    return time.monotonic() - began_s


def memory_in(folder: Path) -> Path:
    """Return where the journal is, below a user data folder."""
    return folder / "mem0"


def a_trade(number: int, n_trades: int, origin: Origin, chance: random.Random) -> TradeRecord:
    """Return a closed trade with a situation, as a bot records it."""
    from freqtrade_mem0.records.base import record_id
    from freqtrade_mem0.records.kinds.trade import TradeRecord

    closed = STARTED + timedelta(days=365.25 * YEARS) * (number / n_trades)
    closed = closed.replace(microsecond=0)
    rate, ratio = chance.uniform(0.1, 60_000.0), chance.gauss(0.001, 0.02)
    pair = f"COIN{chance.randrange(40)}/USDT"
    return TradeRecord(
        id=record_id("trade", origin.user_id, origin.mode, origin.run_id, pair, "long", number),
        origin=origin,
        known_at=closed,
        recorded_at=closed,
        pair=pair,
        side=chance.choice(["long", "short"]),
        enter_tag=chance.choice(["dip", "breakout", "ema_cross"]),
        exit_reason="roi",
        open_date=closed - timedelta(hours=3),
        close_date=closed,
        open_rate=rate,
        close_rate=rate * (1.0 + ratio),
        amount=100.0 / rate,
        stake_amount=100.0,
        max_stake_amount=100.0,
        leverage=1.0,
        fee_open=0.001,
        fee_close=0.001,
        funding_fees=0.0,
        profit_ratio=ratio,
        profit_abs=100.0 * ratio,
        n_entries=1,
        n_exits=1,
        situation={
            "volatility": chance.uniform(0.0, 0.05),
            "volatility_rank": chance.random(),
            "volatility_regime": chance.choice(["low", "normal", "high"]),
            "trend": chance.gauss(0.0, 1.0),
            "trend_regime": chance.choice(["up", "flat", "down"]),
            "session": chance.choice(["asia", "europe", "america"]),
            "hour": float(closed.hour),
        },
    )


def in_a_process(folder: Path) -> dict[str, Any]:
    """Start a bot's runtime in a process of its own and return what it measured."""
    command = [sys.executable, __file__, "--start", str(folder)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    found: dict[str, Any] = json.loads(subprocess.check_output(command, text=True, env=environ))
    return found


def started(folder: Path) -> dict[str, Any]:
    """Start a bot's runtime here, ask it as a decision does, and take it down again."""
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.host.run_kind import RunKind
    from freqtrade_mem0.insight.shrinkage import interval
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.recall import STRATEGY
    from freqtrade_mem0.records.base import Mode, Origin
    from freqtrade_mem0.run.bot.runtime import BotRuntime
    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.strategy.process import Process

    settings = Settings(enabled=True, user_id="me", mode="local", path=str(memory_in(folder)))
    origin = Origin(user_id="me", strategy=STRATEGY_NAME, mode=Mode.DRY_RUN, run_id="bot")
    run = RunDescription(
        settings=settings, kind=RunKind.DRY_RUN, origin=origin, user_data_dir=folder
    )
    began_s, began_cpu_s = time.perf_counter(), time.thread_time()
    prior = Process().prior(run)
    runtime = BotRuntime(
        run, prior, MemoryFolder(settings, folder), lambda: datetime.now(UTC), print
    )
    seconds, cpu_s = time.perf_counter() - began_s, time.thread_time() - began_cpu_s
    rss_mb = resident_mb()
    recall = runtime.session.recall
    trade = a_trade(0, 1, origin, random.Random(7))
    asked = (trade.pair, trade.side, trade.enter_tag, trade.situation)
    keys = [STRATEGY, *recall.keys(*asked)]
    moment = STARTED + timedelta(days=366 * YEARS)
    moments = [moment, moment + timedelta(minutes=5)]
    (whole,) = recall.as_of(moment, [STRATEGY])
    # Its regular look, without Freqtrade's database.
    follower = runtime._chores.follower  # noqa: SLF001
    figures = {
        "seconds": round(seconds, 3),
        "cpu_seconds": round(cpu_s, 3),
        "rss_mb": round(rss_mb, 1),
        "trades_known": len(recall),
        "mean": whole.mean if math.isfinite(interval(whole)[0]) else None,
        "keys_us": fastest_us(lambda: recall.keys(*asked)),
        "as_of_us": round(fastest_us(lambda: [recall.as_of(at, keys) for at in moments]) / 2, 2),
        "look_us": fastest_us(follower.run),
    }
    began_s = time.perf_counter()
    runtime.close()
    return {**figures, "close_s": round(time.perf_counter() - began_s, 3)}


def fastest_us(action: Callable[[], object]) -> float:
    """Return how long it takes undisturbed, in microseconds: the fastest of several rounds."""
    rounds = []
    for _ in range(9):
        began_ns = time.perf_counter_ns()
        for _ in range(REPEATS):
            action()
        rounds.append((time.perf_counter_ns() - began_ns) / REPEATS / 1e3)
    return round(min(rounds), 2)


def resident_mb() -> float:
    """Return how much RAM this process has, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    main()
