"""A thousand bots on one PostgreSQL: what the fleet's growth does to one bot, and where it ends.

    python benchmarks/bench_fleet.py [--bots 1 10 100 1000] [--trades 1000] [--trades-per-day 100]

It starts a PostgreSQL of its own (`pgserver`, fsync on). A loader in a process of its own delivers
the trades of all bots through the real backend, embedding included, stored as of their market time;
meanwhile some bots sync by `MemorySync`. At each size are measured, on the idle server: a new bot's
first sync, which rebuilds its journal; syncs with ten and with more news; the buffers their
statements take; a search by owner and strategy; table and indexes; single writes.

Prints JSON. `measured` is that; `computed`, for bots with so many trades a day, says how many one
core and one disk serve: see `fleet_model`. Takes an hour or so and 8 GB of disk by default.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import postgres_cost
from benchmarks.bench_pgvector import QUESTION, bytes_of, median_ms
from benchmarks.bench_rebuild import trade
from benchmarks.fleet_model import (
    Fleet,
    Pull,
    bots_per_core,
    bots_per_disk,
    fitted,
    network_mb_per_s,
    server_load,
)
from benchmarks.measuring import machine, measured, print_result, readable, spread
from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.backends.in_process.mem0_setup import lemmatizer
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import MemorySync, pull_news
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.mapping import to_memory
from tests.contract.postgres import make_server

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from freqtrade_mem0.records.memory import Memory
    from tests.contract.postgres import Server

OWNER = "fleet"
N_STRATEGIES = 10
N_SYNCING = 5
BATCH = 500
PASSWORD = "FLEET_PASSWORD"  # noqa: S105 - the name of a variable
NEWS = (10, 10, 10, 10, 10, 10, 100, 300, 1_000)
"""How many are new at one sync after another; the overlap makes each read those before, too."""

FEW = 5
"""So many of the first ones are few."""

N_WRITES = 15
N_SEARCHES = 3
SIZES_TOLD = (10, 100, 300, 1_000)


@dataclass(frozen=True, slots=True)
class Database:
    """Where the fleet's memories are; can be handed to another process."""

    block: dict[str, Any]
    folder: Path

    def backend(self, name: str) -> EmbeddedBackend:
        """Open Mem0 on it."""
        return EmbeddedBackend(
            self.folder / name, name="server", vector_store=self.block, timeout_s=300
        )

    def store(self, name: str, **changes: Any) -> MemoryFolder:
        """Open the memory of a bot, with a journal of its own."""
        config = self.block["config"] | {"password": f"env:{PASSWORD}"}
        settings = Settings.model_validate(
            {
                "mode": "server",
                "user_id": OWNER,
                "timeout_s": 300,
                "vector_store": self.block | {"config": config},
                **changes,
            }
        )
        return MemoryFolder(settings, self.folder / name)


def main() -> int:
    """Measure, compute and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--bots", type=int, nargs="+", default=[1, 10, 100, 1_000])
    parser.add_argument("--trades", type=int, default=1_000, help="Of each bot.")
    parser.add_argument("--trades-per-day", type=float, default=100.0, help="For what is computed.")
    asked = parser.parse_args()
    logging.disable(logging.WARNING)
    facts, sizes = machine(), sorted(asked.bots)
    server = make_server()
    try:
        with tempfile.TemporaryDirectory() as name:
            os.environ[PASSWORD] = server.password
            database = Database(server.block(server.new_database()), Path(name))
            found: dict[str, Any] = {}
            n_loaded = 0
            for n_bots in sizes:
                found[str(n_bots)] = grown(server, database, range(n_loaded, n_bots), asked.trades)
                n_loaded = n_bots
    finally:
        server.stop()
    raw = {size: each.pop("pulls") for size, each in found.items()}
    pulls = [Pull(**each) for each in raw[str(sizes[-1])]]
    fleet = Fleet(trades_per_day=asked.trades_per_day)
    print_result(
        "fleet",
        asked={"bots": sizes, "trades": asked.trades, "trades_per_day": asked.trades_per_day},
        figures={
            "measured": found,
            "computed": computed(found[str(sizes[-1])], pulls, fleet),
            "raw": {"pulls": raw},
        },
        machine_before=facts,
    )
    return 0


def memories(bots: range, first: int, n_trades: int) -> list[Memory]:
    """Return the memories of bots' trades, told apart by bot and number."""
    origins = [
        Origin(
            user_id=OWNER,
            strategy=f"Strategy{bot % N_STRATEGIES}",
            mode=Mode.DRY_RUN,
            run_id=f"bot-{bot}",
        )
        for bot in bots
    ]
    return [
        to_memory(trade(number, origin))
        for origin in origins
        for number in range(first, first + n_trades)
    ]


def load(database: Database, bots: range, n_trades: int, told: Connection) -> None:
    """Deliver the trades of bots, as `EmbeddedBackend.write` does; tell what it took.

    They are stored as of their market time: as new ones, all would lie in the overlap of two syncs.
    """
    backend = database.backend("loader")
    memory, lemmatize = backend.memory, lemmatizer(database.folder)
    memory.vector_store.count({"run_id": "nobody"})  # makes the table
    with measured() as cost:
        for bot in bots:
            trades = memories(range(bot, bot + 1), 0, n_trades)
            for start in range(0, n_trades, BATCH):
                part = trades[start : start + BATCH]
                payloads = [
                    payload.to_payload(each, lemmatize)
                    | {"updated_at": each.created_at.isoformat()}
                    for each in part
                ]
                vectors = memory.embedding_model.embed_batch([each.text for each in part], "add")
                memory.vector_store.insert(vectors, payloads, [each.id for each in part])
    backend.close()
    told.send(cost)


def grown(server: Server, database: Database, new_bots: range, n_trades: int) -> dict[str, Any]:
    """Let the fleet grow by these bots while others sync, and measure it at its new size."""
    name = database.block["config"]["dbname"]
    n_bots = new_bots.stop
    loaded = loaded_while_others_sync(server, database, new_bots, n_trades)
    server.run("VACUUM (ANALYZE) mem0", name)  # as autovacuum would leave it
    n_memories = n_bots * n_trades
    sizes = {key: round(size / n_memories) for key, size in bytes_of(server, name).items()}
    observer = database.store(f"observer-{n_bots}")
    observer.backend.count(filters={"user_id": OWNER, "run_id": "nobody"})  # imports Mem0
    before = postgres_cost.cpu_by_process(server)
    with measured() as first:
        rebuilt = pull_news(observer)
    first_server_s = postgres_cost.cpu_since(server, before)
    writer = database.backend("writer")
    pulls, buffers = syncs(server, database, observer, writer, n_bots)
    with measured() as nothing_new:
        pull_news(observer)
    search = partial(
        writer.search,
        QUESTION,
        filters={"user_id": OWNER, "agent_id": "Strategy0"},
        limit=10,
    )
    found = {
        "loaded": loaded,
        "first_sync": {
            "rows": rebuilt.n_read,
            "wall_s": readable(first.wall_s),
            "rows_per_s": readable(rebuilt.n_read / first.wall_s),
            "bot_cpu_s": readable(first.cpu_s),
            "server_cpu_s": readable(first_server_s),
        },
        "sync_ten_news_ms": spread([1_000 * pull.wall_s for pull in pulls[:FEW]]),
        "sync_ten_news_server_ms": spread([1_000 * pull.server_cpu_s for pull in pulls[:FEW]]),
        "sync_ten_news_explained": buffers,
        "sync_again_ms": readable(1_000 * nothing_new.wall_s),
        "sync_again_rows": pulls[-1].n_read,
        "search_by_strategy_ms": median_ms(search, N_SEARCHES),
        "write_one": writes(server, writer, n_bots),
        "bytes_per_memory": sizes,
        "payload_bytes": payload_bytes(server, name),
        "journal_bytes_per_record": readable(
            bytes_in(observer.folder) / (rebuilt.n_read + sum(NEWS))
        ),
    }
    # The next size shall find no news of this one in the overlap of its syncs.
    writer.delete([each.id for each in news_of(n_bots, 0, sum(NEWS) + N_WRITES)])
    writer.close()
    observer.close()
    return found | {"pulls": [asdict(pull) for pull in pulls]}


def loaded_while_others_sync(
    server: Server, database: Database, new_bots: range, n_trades: int
) -> dict[str, Any]:
    """Load new bots' trades while some bots sync every second; return what was seen meanwhile."""
    stores = [
        database.store(f"syncing-{new_bots.stop}-{each}", sync_interval=1.0)
        for each in range(N_SYNCING)
    ]
    workers = [MemorySync(store, after_first=lambda: None) for store in stores]
    n_connections, log_bytes = 0, postgres_cost.log_position(server)
    spawning = get_context("spawn")
    hearing, telling = spawning.Pipe(duplex=False)
    loader = spawning.Process(target=load, args=(database, new_bots, n_trades, telling))
    loader.start()
    for worker in workers:
        worker.start()
    while loader.is_alive():
        n_connections = max(
            n_connections, postgres_cost.connections(server, database.block["config"]["dbname"])
        )
        loader.join(0.5)
    if loader.exitcode != 0:
        raise SystemExit(f"The loader failed with exit code {loader.exitcode}; see above.")
    n_records, cost = len(new_bots) * n_trades, hearing.recv()
    found = {
        "records": n_records,
        "records_per_s": readable(n_records / cost.wall_s),
        "records_per_cpu_s": readable(n_records / cost.cpu_s),
        "log_bytes_per_record": readable(
            (postgres_cost.log_position(server) - log_bytes) / n_records
        ),
        "syncing_bots": len(workers),
        "most_connections": n_connections,
        "bytes_per_connection": postgres_cost.bytes_per_connection(
            server, database.block["config"]["dbname"]
        ),
        "syncs_in_trouble": sum(worker.trouble != "" for worker in workers),
    }
    for worker, store in zip(workers, stores, strict=True):
        worker.stop(600.0)
        store.close()
    return found


def payload_bytes(server: Server, name: str) -> int:
    """Return what a row is on its way to a bot, the mean of some."""
    ((mean,),) = server.run(
        "SELECT avg(length(payload::text)) FROM (SELECT payload FROM mem0 LIMIT 1000) AS part", name
    )
    return round(float(mean))


def bytes_in(folder: Path) -> int:
    """Return how much disk a bot's memory takes on its own machine."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def news_of(n_bots: int, first: int, n_news: int) -> list[Memory]:
    """Return trades of a bot that nobody loads at this size, told apart by number."""
    return memories(range(n_bots, n_bots + 1), 10**6 + first, n_news)


def syncs(
    server: Server, database: Database, observer: MemoryFolder, writer: EmbeddedBackend, n_bots: int
) -> tuple[list[Pull], dict[str, int]]:
    """Let another write news and a bot sync, several times; return costs, and buffers of one."""
    pulls, buffers, n_written = [], {}, 0
    for n_news in NEWS:
        writer.write(news_of(n_bots, n_written, n_news))
        n_written += n_news
        before = postgres_cost.cpu_by_process(server)
        with postgres_cost.statements() as sent, measured() as cost:
            pulled = pull_news(observer)
        pulls.append(
            Pull(
                n_read=pulled.n_read,
                n_new=pulled.n_new,
                wall_s=cost.wall_s,
                server_cpu_s=postgres_cost.cpu_since(server, before),
                bot_cpu_s=cost.cpu_s,
            )
        )
        if len(pulls) == FEW:
            name = database.block["config"]["dbname"]
            buffers = postgres_cost.explained(server, name, sent)
    # The first one went on from what the loader had stored last, which was long ago.
    return pulls[1:], buffers


def writes(server: Server, writer: EmbeddedBackend, n_bots: int) -> dict[str, Any]:
    """Write single memories, as bots do; return what one takes, commit on disk included."""
    wall_ms = []
    before = postgres_cost.cpu_by_process(server)
    for memory in news_of(n_bots, sum(NEWS), N_WRITES):
        with measured() as cost:
            writer.write([memory])
        wall_ms.append(1_000 * cost.wall_s)
    server_s = postgres_cost.cpu_since(server, before) / N_WRITES
    return {"wall_ms": spread(wall_ms), "server_cpu_ms": readable(1_000 * server_s)}


def computed(largest: dict[str, Any], pulls: list[Pull], fleet: Fleet) -> dict[str, Any]:
    """Return what the figures at the largest size say of fleets that were not run."""
    sync = fitted(pulls, [pull.server_cpu_s for pull in pulls])
    bot = fitted(pulls, [pull.bot_cpu_s for pull in pulls])
    record_s = largest["write_one"]["server_cpu_ms"] / 1_000
    commit_s = largest["write_one"]["wall_ms"]["median"] / 1_000
    found: dict[str, Any] = {
        "server_cpu_of_a_sync": asdict(sync),
        "bot_cpu_of_a_sync": asdict(bot),
        "bots_per_disk": bots_per_disk(fleet, commit_s),
    }
    for interval_s in (60.0, 300.0):
        syncing = replace(fleet, sync_interval_s=interval_s)
        found[f"sync_interval_{interval_s:g}_s"] = {
            "bots_per_core": bots_per_core(syncing, sync, record_s),
            "rows_per_sync": {str(n): readable(syncing.rows_per_sync(n)) for n in SIZES_TOLD},
            "network_mb_per_s": {
                str(n): readable(network_mb_per_s(syncing, n, largest["payload_bytes"]))
                for n in SIZES_TOLD
            },
            "server_cores": {
                str(n): readable(server_load(syncing, n, sync, record_s)) for n in SIZES_TOLD
            },
        }
    return found


if __name__ == "__main__":
    sys.exit(main())
