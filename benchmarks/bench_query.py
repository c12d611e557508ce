"""Queries of people: how long they are parsed, refused and answered, and whether filters are right.

    python benchmarks/bench_query.py                    # two minutes, most of it to fill the store
    python benchmarks/bench_query.py --memories 10000

All memories are of one user, who is always in the filter: the worst case for a search, as every row
is a candidate. `cpu` is the processor time of the process, `wall` the clock, in milliseconds.
"""

from __future__ import annotations

import argparse
import logging
import random
import tempfile
import time
from functools import partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.bench_embedded_store import BY_USER, make_memories
from benchmarks.measuring import machine, measured, print_result, readable
from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.query.compile import read_query

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.records.memory import Memory

QUESTIONS = (
    "what did I lose on solana shorts after a breakout",
    "stop loss in a downtrend",
    "closed long ETH/USDT in an uptrend, exit stop_loss",
    "bitcoin trades that were left by a trailing stop in a quiet market",
    "did the dips in ADA recover",
)
CONDITIONS = (
    None,
    "pair:ETH/USDT",
    "profit:>2.0 AND side:long",
    "timestamp:[2025-03-01 TO 2025-04-15] AND NOT exit_reason:roi",
    "enter_tag:(ema_cross OR rsi*) profit:{-1 TO 1}",
)
SIXTY_FOUR = " AND ".join(f'enter_tag:"a long tag {number:03}"' for number in range(64))
HOSTILE = (
    "a OR " * 20_000 + "a",
    "(" * 2_000 + "a" + ")" * 2_000,
    "a OR " * 399 + "a",
    '"' * 1_999,
)
GOALS = {
    "parse.cpu": "< 1",
    "refuse.cpu": "< 5",
    "answer.all.wall": "95 % < 50",
    "answer.user_only.wall": "< 15",
    "filter_differences": "0",
}


def times(calls: Sequence[Callable[[], object]], n_rounds: int) -> dict[str, Any]:
    """Time each call in each round, after one that does not count."""
    costs = []
    for number in range(n_rounds + 1):
        for call in calls:
            with measured() as cost:
                call()
            if number > 0:
                costs.append(cost)
    return {
        "wall": _quantiles([cost.wall_s for cost in costs]),
        "cpu": _quantiles([cost.cpu_s for cost in costs]),
    }


def _quantiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(1_000 * each for each in seconds)
    places = {"p50": 0.5, "p95": 0.95, "longest": 1.0}
    return {
        name: readable(ordered[min(len(ordered) - 1, int(share * len(ordered)))])
        for name, share in places.items()
    }


def refused(query: str) -> None:
    """Read a query that must be refused."""
    try:
        read_query(query)
    except RecordError:
        return
    raise AssertionError(query[:40])


def filters_of(condition: str | None) -> dict[str, Any]:
    """Return the filter of a condition, within the user."""
    return BY_USER if condition is None else {**BY_USER, "AND": [read_query(condition).filters]}


def filter_differences(backend: EmbeddedBackend, memories: Sequence[Memory]) -> int:
    """Count answers of random conditions that differ from those of a test of each memory."""
    draw = random.Random(5)
    n_wrong = 0
    values = [payload.as_filterable(memory) for memory in memories]
    for _ in range(100):
        low = draw.uniform(-4, 4)
        query = draw.choice(("{} AND {}", "{} OR NOT {}", "NOT ({} {})")).format(
            draw.choice(("pair:SOL/USDT", "enter_tag:r*", "exit_reason:(roi OR stop_loss)")),
            draw.choice(
                (f"profit:>{low:.2f}", f"profit:[{low:.2f} TO {low + 2:.2f}]", "side:long")
            ),
        )
        node = parse_filters(filters_of(query))
        wanted = {m.id for m, each in zip(memories, values, strict=True) if matches(node, each)}
        n_wrong += wanted != {each.id for each in backend.scan(filters=filters_of(query))}
    return n_wrong


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--memories", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, help="Keep the store here, and use it again.")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    before = machine()
    memories = make_memories(asked.memories)
    with tempfile.TemporaryDirectory() as temporary:
        few = EmbeddedBackend(Path(temporary) / "few")
        few.write(memories[:10_000])
        n_wrong = filter_differences(few, memories[:10_000])
        few.close()
        backend = EmbeddedBackend(asked.folder or Path(temporary) / "all")
        if backend.count(filters=BY_USER) != {(): asked.memories}:
            backend.write(memories)
        backend.close()
        backend = EmbeddedBackend(asked.folder or Path(temporary) / "all")
        started_s = time.perf_counter()
        backend.search(QUESTIONS[0], filters=BY_USER, limit=10)
        first_s = time.perf_counter() - started_s

        def calls(conditions: Sequence[str | None]) -> list[Callable[[], object]]:
            return [
                partial(backend.search, question, filters=filters_of(condition), limit=10)
                for question, condition in product(QUESTIONS, conditions)
            ]

        figures = {
            "parse": times([partial(read_query, SIXTY_FOUR)], 200),
            "refuse": times([partial(refused, query) for query in HOSTILE], 50),
            "first_search_s": readable(first_s),
            "answer": {
                "user_only": times(calls([None]), 10),
                "all": times(calls(CONDITIONS), 10),
            },
            "filter_differences": n_wrong,
        }
        backend.close()
    print_result(
        "query",
        asked={"memories": asked.memories},
        figures=figures,
        goals=GOALS,
        machine_before=before,
    )


if __name__ == "__main__":
    main()
