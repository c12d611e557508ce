"""Fleets up to 10^4 bots, simulated from measured service times, and the simulation held to a run.

    python benchmarks/bench_growth.py                     # ten minutes
    python benchmarks/bench_growth.py --no-postgres       # the simulation alone, from kept figures

A PostgreSQL of its own holds the trades of a fleet. First single syncs and writes are measured, one
after another; a line through them is what the simulation gets. Then bots sync as `--interval` says,
several at once, while others write, for `--seconds`; their processor time of PostgreSQL stands
beside what the simulation says of the same seconds. Last, fleets that nobody ran are simulated.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks import postgres_cost
from benchmarks.bench_fleet import OWNER, PASSWORD, Database, memories, news_of, writes
from benchmarks.fleet_model import Fleet, Line, Pull, fitted
from benchmarks.fleet_simulation import Engine, cores_needed, simulate
from benchmarks.measuring import machine, measured, print_result, readable
from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.in_process.mem0_setup import lemmatizer
from freqtrade_mem0.delivery.pull import OVERLAP
from freqtrade_mem0.records.base import Mode
from tests.contract.postgres import make_server

if TYPE_CHECKING:
    from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
    from tests.contract.postgres import Server

KEPT = (
    Engine(sync_s=0.0018, row_s=38e-6, record_s=0.0007),
    Engine(sync_s=0.016, row_s=65e-6, record_s=0.003),
)
"""The smallest figures, of `bench_fleet` on 2026-11-21, and the largest: six years of partitions,
rows on a busy machine, and a third more, as the run of several bots at once took."""

GROUPS = {"groups of 100": 100, "all share": 10**6}
SIZES = (10, 100, 1_000, 10_000)
N_CONNECTIONS = 8
OF_BOTS = {"user_id": OWNER, "NOT": [{"mode": str(Mode.BACKTEST)}]}


def main() -> int:
    """Measure, simulate and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bots", type=int, nargs="+", default=[10, 100, 300, 1_000])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--interval", type=float, default=300.0)
    parser.add_argument("--no-postgres", action="store_true")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    facts = machine()
    fleet = Fleet(sync_interval_s=asked.interval)
    validated = {} if asked.no_postgres else run(fleet, sorted(asked.bots), asked.seconds)
    print_result(
        "growth",
        asked={"bots": asked.bots, "seconds": asked.seconds, "interval": asked.interval},
        figures={"validated": validated, "simulated": simulated()},
        machine_before=facts,
    )
    return 0


def run(fleet: Fleet, sizes: list[int], seconds: float) -> dict[str, Any]:
    """Run fleets on a PostgreSQL, and return what it took beside what the simulation says."""
    server = make_server()
    try:
        with tempfile.TemporaryDirectory() as name:
            os.environ[PASSWORD] = server.password
            return {
                str(n_bots): one_size(server, fleet, n_bots, seconds, Path(name))
                for n_bots in sizes
            }
    finally:
        server.stop()


def one_size(
    server: Server, fleet: Fleet, n_bots: int, seconds: float, folder: Path
) -> dict[str, Any]:
    """Fill a database as such a fleet would have, measure single jobs, and let the fleet run."""
    database = Database(server.block(server.new_database()), folder / str(n_bots))
    backends = [database.backend(f"bot-{each}") for each in range(N_CONNECTIONS)]
    draw = np.random.default_rng(n_bots)
    fill(database, backends[0], fleet, n_bots, draw)
    server.run("VACUUM (ANALYZE) mem0", database.block["config"]["dbname"])
    for each in backends:
        each.count(filters={"user_id": OWNER, "run_id": "nobody"})  # connects
    line, record_s = single_jobs(server, backends[0], fleet, n_bots)
    moments = np.sort(
        draw.uniform(0, seconds, draw.poisson(n_bots * seconds / fleet.sync_interval_s))
    )
    since = OVERLAP + timedelta(seconds=fleet.sync_interval_s)

    def sync(backend: EmbeddedBackend) -> int:
        return sum(1 for _ in backend.changes(filters=OF_BOTS, since=datetime.now(UTC) - since))

    before, began_s = postgres_cost.cpu_by_process(server), time.monotonic()
    with ThreadPoolExecutor(N_CONNECTIONS) as pool, measured() as cost:
        done = []
        for number, at in enumerate(moments.tolist()):
            time.sleep(max(0.0, began_s + at - time.monotonic()))
            done.append(pool.submit(sync, backends[number % N_CONNECTIONS]))
        n_rows = sum(each.result() for each in done)
    used_s = postgres_cost.cpu_since(server, before)
    engine = Engine(sync_s=line.constant_s, row_s=line.per_row_s, record_s=record_s)
    told = [simulate(fleet, n_bots, engine, group=n_bots, seed=seed) for seed in range(5)]
    for each in backends:
        each.close()
    rows = sum(seen.rows_per_sync for seen in told) / len(told)
    per_sync_s = [engine.sync_s + engine.row_s * seen.rows_per_sync for seen in told]
    return {
        "service_times": asdict(line) | {"record_s": readable(record_s)},
        "syncs": len(moments),
        "wall_s": readable(cost.wall_s),
        "rows_per_sync": readable(n_rows / max(1, len(moments))),
        "rows_per_sync_simulated": readable(rows),
        "server_ms_per_sync": readable(1_000 * used_s / max(1, len(moments))),
        "server_ms_per_sync_simulated": [
            readable(1_000 * each) for each in (min(per_sync_s), max(per_sync_s))
        ],
    }


def fill(
    database: Database,
    backend: EmbeddedBackend,
    fleet: Fleet,
    n_bots: int,
    draw: np.random.Generator,
) -> None:
    """Store twenty old trades of each bot, and those of the last half hour at the fleet's rate."""
    memory, lemmatize = backend.memory, lemmatizer(database.folder)
    memory.vector_store.count({"run_id": "nobody"})  # makes the table
    now = datetime.now(UTC)
    recent = news_of(n_bots, 0, int(draw.poisson(fleet.rate * n_bots * 1_800)))
    stored = {each.id: now - timedelta(seconds=draw.uniform(-120, 1_680)) for each in recent}
    for each in memories(range(n_bots), 0, 20):
        stored[each.id] = each.created_at
        recent.append(each)
    for start in range(0, len(recent), 500):
        part = recent[start : start + 500]
        payloads = [
            payload.to_payload(each, lemmatize) | {"updated_at": stored[each.id].isoformat()}
            for each in part
        ]
        vectors = memory.embedding_model.embed_batch([each.text for each in part], "add")
        memory.vector_store.insert(vectors, payloads, [each.id for each in part])


def single_jobs(
    server: Server, backend: EmbeddedBackend, fleet: Fleet, n_bots: int
) -> tuple[Line, float]:
    """Return what syncs by their rows and single writes take of PostgreSQL, on its own."""
    pulls = []
    whole_s = OVERLAP.total_seconds() + fleet.sync_interval_s
    for share in (0.0, 0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2) * 2:
        since = datetime.now(UTC) - timedelta(seconds=share * whole_s)
        before = postgres_cost.cpu_by_process(server)
        with measured() as cost:
            n_read = sum(1 for _ in backend.changes(filters=OF_BOTS, since=since))
        server_s = postgres_cost.cpu_since(server, before)
        pulls.append(
            Pull(
                n_read=n_read,
                n_new=n_read,
                wall_s=cost.wall_s,
                server_cpu_s=server_s,
                bot_cpu_s=cost.cpu_s,
            )
        )
    record_s = writes(server, backend, n_bots)["server_cpu_ms"] / 1_000
    return fitted(pulls, [each.server_cpu_s for each in pulls]), record_s


def simulated() -> dict[str, Any]:
    """Return what fleets that nobody ran need, from the kept figures: smallest and largest."""
    found: dict[str, Any] = {}
    for interval_s in (60.0, 300.0):
        for name, group in GROUPS.items():
            for n_bots in SIZES:
                fleet = Fleet(sync_interval_s=interval_s)
                asked = [cores_needed(fleet, n_bots, each, group=group) for each in KEPT]
                found[f"{n_bots} bots, {name}, every {interval_s:g} s"] = {
                    "cores": [cores for cores, _ in asked],
                    "cores_busy": [readable(seen.cores_busy) for _, seen in asked],
                    "link_busy": readable(asked[1][1].link_busy),
                    "rows_per_sync": readable(asked[1][1].rows_per_sync),
                    "sync_p99_ms": [readable(1_000 * seen.sync_p99_s) for _, seen in asked],
                    "failed": [readable(seen.failed) for _, seen in asked],
                }
    busy = Fleet(trades_per_day=200.0)
    found["1000 bots, all share, 200 trades a day, half in bursts, 4 cores"] = asdict(
        simulate(busy, 1_000, replace(KEPT[1], cores=4), group=10**6, burst_share=0.5)
    )
    for n_bots in (2_000, 3_000, 5_000):
        fleet = Fleet(sync_interval_s=300.0)
        cores, seen = cores_needed(fleet, n_bots, KEPT[1], group=10**6)
        found[f"{n_bots} bots, all share, every 300 s"] = {"cores": cores} | asdict(seen)
    return found


if __name__ == "__main__":
    sys.exit(main())
