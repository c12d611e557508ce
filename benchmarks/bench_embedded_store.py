"""Our embedded store against Mem0's default (embedded Qdrant): same memories, embedder and calls.

Run `python benchmarks/bench_embedded_store.py`; it takes about a minute and a half, most of it to
fill Qdrant. It prints JSON: medians in milliseconds, rates per second, and how many times faster
ours is. All memories belong to one user, which is the worst case for a search by user: every row
is a candidate.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import statistics
import tempfile
import time
import warnings
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.records.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.port import Filters

HASHING = {"provider": "hashing", "config": {}}
"""Qdrant has it by default; the same embedder on both sides."""
QUESTION = "closed long ETH/USDT in an uptrend, exit stop_loss"
BY_USER: Filters = {"user_id": "me"}
BY_PAIR: Filters = {"user_id": "me", "pair": "ETH/USDT"}
COINS = (
    "BTC ETH SOL ADA XRP DOGE LTC DOT LINK AVAX ATOM NEAR FIL UNI ARB OP SUI APT " + "INJ TIA"
).split()


def make_memories(n_memories: int) -> list[Memory]:
    """Make memories of closed trades, alike and different as real ones are."""
    draw = random.Random(1)
    start = datetime(2025, 1, 1, tzinfo=UTC)
    memories = []
    for n in range(n_memories):
        pair, side = f"{draw.choice(COINS)}/USDT", draw.choice(["long", "short"])
        profit_ratio = draw.gauss(0.0, 0.02)
        tag = draw.choice(["ema_cross", "rsi_low", "breakout"])
        reason = draw.choice(["roi", "stop_loss", "exit_signal", "trailing_stop_loss"])
        regime = draw.choice(["uptrend", "downtrend", "range"])
        closed_at = start + timedelta(minutes=7 * n)
        memories.append(
            Memory(
                id=str(UUID(int=n + 1)),
                text=f"Closed {side} {pair} {profit_ratio:+.1%} after {draw.randint(1, 40)}h, "
                f"MyStrategy/{tag}, exit {reason}, low-volatility {regime}",
                user_id="me",
                agent_id="MyStrategy",
                run_id=f"bot-{n % 4}",
                created_at=closed_at,
                metadata={
                    "kind": "trade",
                    "category": "strategy_performance",
                    "pair": pair,
                    "side": side,
                    "enter_tag": tag,
                    "exit_reason": reason,
                    "regime": regime,
                    "profit_ratio": profit_ratio,
                    "is_win": profit_ratio > 0,
                    "leverage": 1.0,
                    "known_at": closed_at.timestamp(),
                    "schema": 1,
                },
            )
        )
    return memories


def median_ms(call: Callable[[], Any], n_calls: int) -> float:
    """Time a call, after one that does not count; median in milliseconds."""
    call()
    times_s = []
    for _ in range(n_calls):
        started_s = time.perf_counter()
        call()
        times_s.append(time.perf_counter() - started_s)
    return round(1_000 * statistics.median(times_s), 3)


def seconds(call: Callable[[], Any]) -> float:
    """Time one call, in seconds."""
    started_s = time.perf_counter()
    call()
    return time.perf_counter() - started_s


def searches(backend: EmbeddedBackend, n_calls: int) -> dict[str, float]:
    """Time searches with limit 10: Qdrant's through Mem0, ours by our own ranking."""
    return {
        name: median_ms(partial(backend.search, QUESTION, filters=filters, limit=10), n_calls)
        for name, filters in (("search_by_user_ms", BY_USER), ("search_by_pair_ms", BY_PAIR))
    }


def measure_ours(folder: Path, memories: list[Memory], sizes: list[int]) -> dict[str, Any]:
    """Fill our store size by size and measure it."""
    results: dict[str, Any] = {}
    backend = EmbeddedBackend(folder, embedder=HASHING)
    n_filled = 0
    for size in sizes:
        part, n_filled = memories[n_filled:size], size
        write_s = seconds(partial(backend.write, part))
        found = searches(backend, 15)
        backend.close()
        backend = EmbeddedBackend(folder, embedder=HASHING)
        reopen_s = seconds(partial(backend.search, QUESTION, filters=BY_USER, limit=10))
        one = Memory(**(fields_of(memories[0]) | {"id": str(UUID(int=10**9))}))
        results[str(size)] = {
            "bulk_write_per_s": round(len(part) / write_s),
            "reopen_and_first_search_s": round(reopen_s, 3),
            "write_one_ms": median_ms(partial(write_changed, backend, one), 15),
            "count_by_pair_ms": median_ms(partial(backend.count, filters={}, by=["pair"]), 15),
            **found,
        }
        backend.delete([one.id])
    backend.close()
    return results


def write_changed(backend: EmbeddedBackend, memory: Memory) -> None:
    """Write one memory whose content differs each time, so that it really is written."""
    metadata = {**memory.metadata, "at": time.perf_counter()}
    backend.write([Memory(**(fields_of(memory) | {"metadata": metadata}))])


def fields_of(memory: Memory) -> dict[str, Any]:
    """Return a memory's fields by name."""
    return {name: getattr(memory, name) for name in Memory.__dataclass_fields__}


def measure_qdrant(folder: Path, memories: list[Memory], sizes: list[int]) -> dict[str, Any]:
    """Fill embedded Qdrant through Mem0's own store class and measure the same searches."""
    results: dict[str, Any] = {}
    block = {"provider": "qdrant", "config": {"on_disk": True}}
    backend = EmbeddedBackend(folder, vector_store=block)
    mem0 = backend.memory
    n_filled = 0
    for size in sizes:
        part, n_filled = memories[n_filled:size], size
        payloads = [{"user_id": "me", "data": each.text, **each.metadata} for each in part]
        vectors = mem0.embedding_model.embed_batch([each.text for each in part])
        ids = [each.id for each in part]
        insert_s = 0.0
        for start in range(0, len(part), 1_000):
            chunk = slice(start, start + 1_000)
            insert_s += seconds(
                partial(mem0.vector_store.insert, vectors[chunk], payloads[chunk], ids[chunk])
            )
        results[str(size)] = {
            "bulk_insert_per_s": round(len(part) / insert_s),
            **searches(backend, 5),
        }
    backend.close()
    return results


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 50_000])
    sizes = sorted(parser.parse_args().sizes)
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")  # Qdrant warns that it is slow, which is what we measure
    memories = make_memories(sizes[-1])
    with tempfile.TemporaryDirectory() as folder:
        ours = measure_ours(Path(folder) / "ours", memories, sizes)
        qdrant = measure_qdrant(Path(folder) / "qdrant", memories, sizes)
    times_faster = {
        size: {
            name: round(qdrant[size][name] / ours[size][name], 1)
            for name in ("search_by_user_ms", "search_by_pair_ms")
        }
        for size in ours
    }
    print(json.dumps({"ours": ours, "qdrant": qdrant, "times_faster": times_faster}, indent=2))


if __name__ == "__main__":
    main()
