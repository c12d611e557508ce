"""Mem0 on PostgreSQL: delivery, filtered search against brute force, reading, changes, and bytes.

Run `python benchmarks/bench_pgvector.py`; it starts a PostgreSQL of its own (`pgserver`), takes
about two minutes and prints JSON. Memories are those of closed trades as a bot delivers them, in
batches of 500, embedding included; all belong to one user. The server has its default settings, so
each batch is on disk when it is acknowledged.
"""

from __future__ import annotations

import argparse
import logging
import random
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.measuring import machine, print_result
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.backends.pgvector import config as pgvector_config
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory
from tests.contract.postgres import Server, make_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.records.memory import Memory

BATCH = 500
QUESTION = "closed long ETH/USDT in an uptrend, exit stop_loss"
COINS = (
    "BTC ETH SOL ADA XRP DOGE LTC DOT LINK AVAX ATOM NEAR FIL UNI ARB OP SUI APT " + "INJ TIA"
).split()
TAGS = ("ema_cross", "rsi_low", "breakout")
REASONS = ("roi", "stop_loss", "exit_signal", "trailing_stop_loss")
REGIMES = ("calm uptrend", "calm downtrend", "calm range", "wild uptrend", "wild downtrend")


def make_memories(n_memories: int) -> list[Memory]:
    """Make memories of closed trades, alike and different as real ones are; each pair is 5 %."""
    draw = random.Random(1)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    memories = []
    for n in range(n_memories):
        closed_at = start + timedelta(minutes=7 * n)
        stake, rate, profit_ratio = 100.0, draw.uniform(0.1, 60_000), draw.gauss(0.0, 0.02)
        features: dict[str, float | str] = {
            f"feature_{k}": round(draw.gauss(0.0, 1.0), 6) for k in range(10)
        }
        trade = TradeRecord(
            id=str(UUID(int=draw.getrandbits(128), version=4)),
            origin=Origin(
                user_id="me", strategy="MyStrategy", mode=Mode.DRY_RUN, run_id=f"bot-{n % 4}"
            ),
            known_at=closed_at,
            recorded_at=closed_at + timedelta(seconds=2),
            pair=f"{draw.choice(COINS)}/USDT",
            side=draw.choice(["long", "short"]),
            enter_tag=draw.choice(TAGS),
            exit_reason=draw.choice(REASONS),
            open_date=closed_at - timedelta(minutes=draw.randint(5, 2_000)),
            close_date=closed_at,
            open_rate=rate,
            close_rate=rate * (1 + profit_ratio),
            amount=stake / rate,
            stake_amount=stake,
            max_stake_amount=stake,
            leverage=1.0,
            fee_open=0.001,
            fee_close=0.001,
            funding_fees=0.0,
            profit_ratio=profit_ratio,
            profit_abs=stake * profit_ratio,
            n_entries=1,
            n_exits=1,
            situation=features | {"regime": draw.choice(REGIMES)},
        )
        memories.append(to_memory(trade))
    return memories


def seconds(call: Callable[[], Any]) -> float:
    """Time one call, in seconds."""
    started_s = time.perf_counter()
    call()
    return time.perf_counter() - started_s


def median_ms(call: Callable[[], Any], n_calls: int = 15) -> float:
    """Time a call, after one that does not count; median in milliseconds."""
    call()
    return round(1_000 * statistics.median(seconds(call) for _ in range(n_calls)), 2)


def deliver(backend: EmbeddedBackend, memories: list[Memory]) -> None:
    """Write memories in the batches of a delivery."""
    for start in range(0, len(memories), BATCH):
        backend.write(memories[start : start + BATCH])


def recall_of_ten(backend: EmbeddedBackend, memories: list[Memory], n_queries: int) -> float:
    """Return how many of the ten nearest a search filtered to 5 % finds; brute force is NumPy."""
    store, embedder = backend.memory.vector_store, backend.memory.embedding_model
    matrix = np.asarray(embedder.embed_batch([each.text for each in memories]), dtype=np.float32)
    pairs = np.array([each.metadata["pair"] for each in memories])
    ids = np.array([each.id for each in memories])
    draw = random.Random(2)
    found = []
    for _ in range(n_queries):
        pair = f"{draw.choice(COINS)}/USDT"
        asked = draw.choice(memories).text
        vector = np.asarray(embedder.embed(asked), dtype=np.float32)
        scores = matrix[pairs == pair] @ vector
        tenth = np.sort(scores)[-10]
        of_pair = dict(zip(ids[pairs == pair], scores, strict=True))
        rows = store.search(asked, vector.tolist(), 10, {"user_id": "me", "pair": pair})
        # Equal ones are as good: whatever is no farther than the tenth counts.
        found.append(sum(of_pair[row.id] >= tenth - 1e-6 for row in rows))
    return round(float(statistics.mean(map(int, found))), 3)


def bytes_of(server: Server, database: str) -> dict[str, int]:
    """Return the bytes of all partitions and of their indexes."""
    (found,) = server.run(
        "SELECT sum(pg_table_size(oid)), sum(pg_indexes_size(oid)) FROM pg_class"
        " WHERE relkind = 'r' AND relname LIKE 'mem0%'",
        database,
    )
    return {"table": int(found[0]), "indexes": int(found[1]), "all": int(sum(found))}


def archived(server: Server, database: str, backend: EmbeddedBackend, ids: list[str]) -> Any:
    """Delete memories, as a cycle does with those in the archive, and give their space back."""
    waits: list[float] = []
    before = bytes_of(server, database)["all"]
    for start in range(0, len(ids), 200):
        backend.delete(ids[start : start + 200])
    took_s = seconds(partial(backend.shrink, waits.append))
    return {
        "deleted": len(ids),
        "shrink_s": round(took_s, 2),
        "longest_lock_ms": round(1_000 * max(waits)),
        "bytes_before": before,
        "bytes_after": bytes_of(server, database)["all"],
    }


def measure(server: Server, sizes: list[int], folder: Path, **changes: Any) -> dict[str, Any]:
    """Fill one table size by size and measure it."""
    memories = make_memories(sizes[-1])
    database = server.new_database()
    block = server.block(database, **changes)
    backend = EmbeddedBackend(folder, name="server", vector_store=block, timeout_s=300)
    backend.count(filters={})  # imports Mem0, builds it, and makes the table
    results: dict[str, Any] = {}
    n_filled = 0
    for size in sizes:
        part, n_filled = memories[n_filled:size], size
        delivered_s = seconds(partial(deliver, backend, part))
        again_s = seconds(partial(deliver, backend, part))
        since = datetime.now(UTC)
        changed = [
            replace(each, metadata={**each.metadata, "note": "changed"}) for each in part[:10]
        ]
        backend.write(changed)
        search = partial(backend.search, QUESTION, limit=10)
        store = backend.memory.vector_store
        vector = backend.memory.embedding_model.embed(QUESTION)
        results[str(size)] = {
            "delivered_per_s": round(len(part) / delivered_s),
            "delivered_again_per_s": round(len(part) / again_s),
            "write_one_ms": median_ms(partial(write_changed, backend, part[0])),
            "search_by_user_ms": median_ms(partial(search, filters={"user_id": "me"})),
            "search_by_pair_ms": median_ms(
                partial(search, filters={"user_id": "me", "pair": "ETH/USDT"})
            ),
            "nearest_by_pair_ms": median_ms(
                partial(store.search, "", vector, 10, {"user_id": "me", "pair": "ETH/USDT"})
            ),
            "found_of_10": recall_of_ten(backend, memories[:size], 100),
            "count_by_pair_ms": median_ms(partial(backend.count, filters={}, by=["pair"])),
            "scanned_per_s": round(
                size / seconds(lambda: list(backend.scan(filters={"user_id": "me"})))
            ),
            "n_changes": len(list(backend.changes(filters={"user_id": "me"}, since=since))),
            "changes_ms": median_ms(
                lambda: list(backend.changes(filters={"user_id": "me"}, since=since))  # noqa: B023
            ),
            "bytes_per_memory": {
                name: round(n_bytes / size) for name, n_bytes in bytes_of(server, database).items()
            },
        }
    old = [each.id for n, each in enumerate(memories[: sizes[-1] * 9 // 10]) if n % 1_000]
    results["archived"] = archived(server, database, backend, old)
    backend.close()
    return results


def write_changed(backend: EmbeddedBackend, memory: Memory) -> None:
    """Write one memory whose content differs each time, so that it really is written."""
    backend.write([replace(memory, metadata={**memory.metadata, "at": time.perf_counter()})])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--hnsw", action="store_true", help="let the table have Mem0's own index")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    facts = machine()
    server = make_server()
    try:
        with tempfile.TemporaryDirectory() as folder:
            changes = {"hnsw": True} if asked.hnsw else {}
            results = measure(server, sorted(asked.sizes), Path(folder), **changes)
    finally:
        server.stop()
    print_result(
        "pgvector",
        asked={"sizes": asked.sizes, "hnsw": asked.hnsw},
        figures={"store": pgvector_config.OWN_PROVIDER, **results},
        goals={
            f"{size}.{figure}": goal
            for size in results
            if size != "archived"
            for figure, goal in (("delivered_per_s", ">= 3,000"), ("found_of_10", "10"))
        },
        machine_before=facts,
    )


if __name__ == "__main__":
    main()
