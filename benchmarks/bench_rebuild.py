"""How fast an empty journal comes back from Mem0, and what a look for news costs without any.

    python benchmarks/bench_rebuild.py [--records 20000]

Real records with situations, through the embedded Mem0, in one file that two memories share. Prints
JSON: records per second of wall and of processor time, without the import of Mem0.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.measuring import machine, print_result
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import pull_news
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.memory_folder import MemoryFolder
from tests.support.samples import ORIGIN, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord

BATCH = 5_000


def trade(number: int, origin: Origin = ORIGIN) -> TradeRecord:
    """Return a trade with the situation of its entry."""
    return a_trade(
        number,
        origin=origin,
        pair=f"P{number % 20}/USDT",
        profit_ratio=0.001 * ((number * 7919 % 41) - 20),
        closed_at=at(number / 10),
        decision_id="0" * 36,
        situation={
            "volatility": 0.00412345,
            "volatility_rank": 0.712345,
            "trend": -0.512345,
            "momentum": 0.312345,
            "rsi": 48.1234,
            "range_position": 0.312345,
            "volume_ratio": 1.12345,
            "volatility_regime": "volatile",
            "trend_regime": "downtrend",
            "regime": "volatile downtrend",
            "session": "12-18h",
            "weekday": "Mon",
        },
    )


def rates(n: int, work: Callable[[], object]) -> dict[str, int]:
    """Return how many a second, by the clock and by the processor, that of children included."""
    wall_s, cpu_s = time.perf_counter(), sum(os.times()[:4])
    work()
    wall_s, cpu_s = time.perf_counter() - wall_s, sum(os.times()[:4]) - cpu_s
    return {"per_second": round(n / wall_s), "per_cpu_second": round(n / cpu_s)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=20_000)
    n: int = parser.parse_args().records
    facts = machine()
    with tempfile.TemporaryDirectory() as folder:
        file = {"provider": "sqlite", "config": {"path": str(Path(folder) / "shared.sqlite")}}
        settings = Settings.model_validate({"user_id": "me", "vector_store": file})
        one, other = (
            MemoryFolder(settings, Path(folder) / "one"),
            MemoryFolder(settings, Path(folder) / "other"),
        )
        for store in (one, other):
            store.backend.count(filters={})  # opens Mem0

        def record() -> None:
            for start in range(0, n, BATCH):
                one.journal.append([trade(k) for k in range(start, min(start + BATCH, n))])

        results = {
            "record": rates(n, record),
            "deliver": rates(n, lambda: delivery_of(one).drain(3600.0)),
            "rebuild": rates(n, lambda: pull_news(other)),
            "look_again_within_the_overlap": rates(n, lambda: pull_news(other)),
        }
        equal = dict(one.journal.records()) == dict(other.journal.records())
        one.close()
        other.close()
    print_result(
        "rebuild",
        asked={"records": n},
        figures={"records": n, "journals_equal": equal, **results},
        goals={"rebuild.per_second": ">= 20,000"},
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
