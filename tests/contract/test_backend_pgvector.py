"""Mem0 on a real PostgreSQL: the same table as plain Mem0's, and what is asked of it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np
import psycopg
import pytest

from freqtrade_mem0.backends.pgvector import shrinking
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
    from freqtrade_mem0.records.memory import Memory
    from tests.contract import postgres

    MakeMemory = Callable[..., Memory]

MINE = {"user_id": "me"}


def test_what_plain_mem0_writes_and_reads_is_the_same_table(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """Mem0's own class finds our memories, and we find, change and delete what it stored."""
    ours = open_backend()
    ours.write([make_memory(0)])
    theirs = plain_mem0(ours)
    theirs.insert(
        [ours.memory.embedding_model.embed("note for next week")],
        [{"user_id": "me", "data": "note for next week", "created_at": "2026-02-03T04:05:06Z"}],
        [make_memory(1).id],
    )

    assert [make_memory(0).id] == [
        row.id for row in theirs.search("", vector_of(ours, "ETH/USDT"), 1, {"run_id": "bot-1"})
    ]
    assert make_memory(0).text == theirs.get(make_memory(0).id).payload["data"]
    assert ours.search("note", filters=MINE, limit=1)[0].id == make_memory(1).id
    assert [make_memory(0).id, make_memory(1).id] == [each.id for each in ours.scan(filters=MINE)]
    ours.write([make_memory(1)])
    assert theirs.get(make_memory(1).id).payload["n"] == 1
    assert ours.delete([make_memory(1).id]) == 1
    assert theirs.get(make_memory(1).id) is None
    theirs.connection_pool.close()


def test_a_table_that_plain_mem0_made_is_taken_over(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """Its rows are there, our indexes are added, and its approximate index is not asked."""
    ours = open_backend()
    theirs = plain_mem0(ours)
    theirs.use_hnsw = True
    vectors = [vector_of(ours, make_memory(n).text) for n in range(400)]
    payloads = [
        {"user_id": "me", "data": make_memory(n).text, "n": n, "rare": n % 20 == 0}
        for n in range(400)
    ]
    theirs.insert(vectors, payloads, [make_memory(n).id for n in range(400)])

    rows = ours.memory.vector_store.search("", vectors[3], 20, {"rare": True})

    rare = range(0, 400, 20)
    nearest = sorted(rare, key=lambda n: -float(np.dot(vectors[3], vectors[n])))
    assert len(rows) == 20
    assert {make_memory(n).id for n in nearest} == {row.id for row in rows}
    assert ours.count(filters=MINE) == {(): 400}
    theirs.connection_pool.close()


def plain_mem0(backend: EmbeddedBackend) -> Any:
    """Return Mem0's own store class on the table of a backend."""
    from mem0.vector_stores.pgvector import PGVector
    from psycopg_pool import ConnectionPool

    config = backend.memory.config.vector_store.config
    keys = ("host", "port", "user", "password", "dbname")
    address = {key: getattr(config, key) for key in keys}
    pool = ConnectionPool(kwargs=address, min_size=1, max_size=2, open=True)
    others = dict.fromkeys(("dbname", "user", "password", "host", "port"))
    return PGVector(
        collection_name=config.collection_name,
        embedding_model_dims=config.embedding_model_dims,
        diskann=False,
        hnsw=False,
        connection_pool=pool,
        **others,
    )


def vector_of(backend: EmbeddedBackend, text: str) -> list[float]:
    """Return the vector of a text."""
    vector: list[float] = backend.memory.embedding_model.embed(text)
    return vector


def test_search_finds_the_true_nearest(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """A search filtered to one in twenty gives the ten that brute force gives, every time."""
    backend = open_backend(hnsw=True)
    memories = [make_memory(n, metadata={"share": n % 20}) for n in range(2_000)]
    backend.write(memories)
    matrix = np.array([vector_of(backend, each.text) for each in memories])
    draw = random.Random(5)

    for _ in range(20):
        share, asked = draw.randrange(20), draw.choice(memories)
        vector = vector_of(backend, asked.text)
        rows = backend.memory.vector_store.search("", vector, 10, MINE | {"share": share})
        passing = [n for n in range(2_000) if n % 20 == share]
        scores = {memories[n].id: float(matrix[n] @ np.array(vector)) for n in passing}
        tenth = sorted(scores.values())[-10]
        assert len(rows) == 10
        assert all(scores[row.id] >= tenth - 1e-6 for row in rows)


def test_the_same_content_again_is_not_written(
    open_backend: Callable[..., EmbeddedBackend],
    server: postgres.Server,
    database: str,
    make_memory: MakeMemory,
) -> None:
    """A batch delivered twice leaves row versions and times of storing as they were."""
    backend = open_backend()
    backend.write([make_memory(n) for n in range(5)])
    versions = "SELECT id, xmin::text, ctid::text FROM mem0 ORDER BY id"
    before = server.run(versions, database)
    stored = [each.stored_at for each in backend.scan(filters=MINE)]

    backend.write([make_memory(n) for n in range(5)])

    assert before == server.run(versions, database)
    assert stored == [each.stored_at for each in backend.scan(filters=MINE)]


def test_changes_read_what_changed_and_no_more(
    open_backend: Callable[..., EmbeddedBackend],
    server: postgres.Server,
    database: str,
    make_memory: MakeMemory,
) -> None:
    """What was stored since a time comes through an index, whoever stored it and how it is told."""
    backend = open_backend()
    backend.write([make_memory(n) for n in range(2_000)])
    since = datetime.now(UTC)
    backend.write([make_memory(n, text="Opened short BTC/USDT") for n in (3, 1_900)])
    odd = {"user_id": "me", "data": "later", "updated_at": "2126-01-01 05:00:00+05:00"}
    backend.memory.vector_store.insert(
        [vector_of(backend, "later")] * 2,
        [odd, odd | {"updated_at": "1999-12-31"}],
        [make_memory(5_000).id, make_memory(5_001).id],
    )
    server.run("ANALYZE mem0", database)

    changed = list(backend.changes(filters=MINE, since=since))

    assert {each.id for each in changed} == {make_memory(n).id for n in (3, 1_900, 5_000)}
    assert len(list(backend.changes(filters=MINE, since=None))) == 2_002
    plan = explain(backend, {"updated_at": {"gte": since.isoformat()}})
    assert "Seq Scan on mem0_2026_01" not in plan
    assert plan.count("Index Scan on mem0_2026_01") == 2


def explain(backend: EmbeddedBackend, filters: dict[str, Any]) -> str:
    """Return PostgreSQL's plan for reading what passes a filter."""
    from freqtrade_mem0.backends.pgvector.filters import select

    near = select(filters).near
    with backend.memory.vector_store._transaction() as connection:
        rows = connection.execute(f"EXPLAIN SELECT id FROM mem0 WHERE {near.sql}", near.params)  # noqa: S608
        return "\n".join(line for (line,) in rows)


@pytest.mark.parametrize("text", ["a\0b", "half \ud800 a pair"])
def test_text_that_postgresql_can_not_hold_is_refused_for_good(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory, text: str
) -> None:
    """The memory is named, nothing of its batch is stored, and trying again is no use."""
    backend = open_backend()

    with pytest.raises(BackendError, match=make_memory(1).id) as refused:
        backend.write([make_memory(0), make_memory(1, metadata={"note": text})])

    assert refused.value.permanent
    assert backend.count(filters={"note": text}) == {(): 0}
    assert list(backend.scan(filters={"NOT": [{"note": text}]})) == []


def test_another_embedder_is_refused(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """Vectors of another length than the table holds are named, and stay for a mended config."""
    open_backend().write([make_memory(0)])
    wide = open_backend(embedding_model_dims=512)

    with pytest.raises(BackendError, match="holds vectors of 256 numbers, the embedder gives 512"):
        wide.count(filters={})


def test_a_table_that_was_dropped_is_made_anew(
    open_backend: Callable[..., EmbeddedBackend],
    server: postgres.Server,
    database: str,
    make_memory: MakeMemory,
) -> None:
    """Somebody's reset costs one failed call; the next one writes again."""
    backend = open_backend()
    backend.write([make_memory(0)])
    server.run("DROP TABLE mem0", database)

    with pytest.raises(BackendError, match="UndefinedTable") as failed:
        backend.write([make_memory(0)])

    assert not failed.value.permanent
    backend.write([make_memory(0)])
    assert backend.count(filters={}) == {(): 1}


def test_who_may_only_read_reads(
    open_backend: Callable[..., EmbeddedBackend],
    server: postgres.Server,
    database: str,
    make_memory: MakeMemory,
) -> None:
    """A dashboard with rights to read is served, and told plainly that it can not write."""
    open_backend().write([make_memory(0)])
    server.run("DROP INDEX mem0_run_id_idx, mem0_stored_idx", database)
    server.run(f"CREATE ROLE {database}_reader LOGIN PASSWORD 'see'", database)
    server.run(f"GRANT SELECT ON mem0 TO {database}_reader", database)

    reader = open_backend(user=f"{database}_reader", password="see")  # noqa: S106 - of a test

    assert [make_memory(0)] == list(reader.scan(filters=MINE))
    with pytest.raises(BackendError, match="InsufficientPrivilege"):
        reader.write([make_memory(1)])


def test_a_memory_without_words_comes_last(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """Its vector has no direction; it is listed with score zero, behind all others."""
    backend = open_backend()
    backend.write([make_memory(0, text="!"), make_memory(1), make_memory(2, text="?")])

    rows = backend.memory.vector_store.search("", vector_of(backend, "profit"), 3, MINE)

    assert [make_memory(n).id for n in (1, 0, 2)] == [row.id for row in rows]
    assert [row.score for row in rows[1:]] == [0.0, 0.0]


def test_mem0_itself_works_on_it(open_backend: Callable[..., EmbeddedBackend]) -> None:
    """Everything of `mem0.Memory` that a person may call finds its way to the table."""
    memory = open_backend().memory

    added = memory.add("note for next week", user_id="me", infer=False)["results"][0]["id"]
    memory.add("another note", user_id="me", infer=False)
    memory.update(added, text="note for tomorrow")

    assert len(memory.get_all(filters=MINE)["results"]) == 2
    assert memory.get(added)["memory"] == "note for tomorrow"
    assert memory.search("tomorrow", filters=MINE)["results"][0]["id"] == added
    memory.delete(added)
    memory.delete_all(user_id="me")
    assert memory.get_all(filters=MINE)["results"] == []
    memory.vector_store.insert([[0.5] * 256], [{"user_id": "me"}], [str(UUID(int=1))])
    memory.reset()
    assert memory.vector_store.col_info()["count"] == 0
    assert memory.vector_store.list_cols() == ["mem0"]


MONTHS = (datetime(2026, 1, 5, tzinfo=UTC), datetime(2026, 2, 5, tzinfo=UTC))


def partitions(server: postgres.Server, database: str) -> dict[str, int]:
    """Return the tables under Mem0's table, and how many rows each has."""
    names = server.run(
        "SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON oid ="
        " inhparent WHERE relkind = 'p' ORDER BY 1",
        database,
    )
    return {
        name: server.run(f"SELECT count(*) FROM {name}", database)[0][0]  # noqa: S608
        for (name,) in names
    }


def bytes_on_disk(server: postgres.Server, database: str) -> int:
    """Return what the tables and indexes of Mem0's collections take."""
    found = server.run(
        "SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'"
        " AND relname LIKE 'mem0%'",
        database,
    )
    return int(found[0][0])


def test_memories_lie_in_partitions_by_month(
    open_backend: Callable[..., EmbeddedBackend],
    make_memory: MakeMemory,
    server: postgres.Server,
    database: str,
) -> None:
    """Those of plain Mem0, too. One that changes its month moves, and is there once."""
    ours = open_backend()
    ours.write([make_memory(n, created_at=MONTHS[n % 2]) for n in range(9)])
    theirs = plain_mem0(ours)
    theirs.insert([vector_of(ours, "x")], [{"data": "x", "user_id": "me"}], [make_memory(50).id])
    assert partitions(server, database) == {"mem0_2026_01": 5, "mem0_2026_02": 4, "mem0_other": 1}

    ours.write([make_memory(0, created_at=MONTHS[1], text="corrected"), make_memory(9)])
    theirs.update(make_memory(1).id, payload={"data": "y", "created_at": MONTHS[0].isoformat()})

    assert partitions(server, database) == {"mem0_2026_01": 6, "mem0_2026_02": 4, "mem0_other": 1}
    assert ours.get(make_memory(0).id).text == "corrected"  # type: ignore[union-attr]
    assert ours.memory.vector_store.list_cols() == ["mem0"]
    theirs.delete_col()
    assert partitions(server, database) == {}
    theirs.connection_pool.close()


def test_writers_of_the_same_memories_leave_each_once(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """No unique index spans the partitions: the store sees to it."""
    writers = [open_backend() for _ in range(4)]
    barrier = Barrier(len(writers))

    def write(which: int) -> None:
        for step in range(6):
            barrier.wait(60)
            made = [make_memory(n, text=f"step {step} by {which}") for n in range(40)]
            writers[which].write(made[:: 1 if which % 2 else -1])

    with ThreadPoolExecutor(len(writers)) as pool:
        list(pool.map(write, range(len(writers))))
    found = list(writers[0].scan(filters=MINE))
    assert [make_memory(n).id for n in range(40)] == [each.id for each in found]
    assert {each.text[:6] for each in found} == {"step 5"}


def test_space_of_deleted_memories_goes_back_to_the_disk(
    open_backend: Callable[..., EmbeddedBackend],
    make_memory: MakeMemory,
    server: postgres.Server,
    database: str,
) -> None:
    """An empty month is dropped, and one with a few left is written anew; what is left stays."""
    ours = open_backend()
    ours.write([make_memory(n, created_at=MONTHS[n % 2], text=f"canary {n}") for n in range(1_000)])
    before = bytes_on_disk(server, database)
    assert min(ours.sizes().values()) > 300
    assert ours.shrink(lambda _: None) == 0
    gone = [make_memory(n).id for n in range(1_000) if n % 2 or n > 40]
    assert ours.delete(gone) == len(gone)
    assert ours.shrink(lambda _: None) > 0.8 * before
    assert bytes_on_disk(server, database) < 0.2 * before
    assert partitions(server, database) == {"mem0_2026_01": 21, "mem0_other": 0}
    assert ours.count(filters=MINE) == {(): 21}
    ours.write([make_memory(1, created_at=MONTHS[1])])
    assert partitions(server, database)["mem0_2026_02"] == 1
    assert ours.upkeep_limits == []


def test_a_table_without_partitions_shrinks_as_well(
    open_backend: Callable[..., EmbeddedBackend],
    make_memory: MakeMemory,
    server: postgres.Server,
    database: str,
) -> None:
    """Plain Mem0 or an earlier version made it, in whatever schema and under whatever name."""
    role = server.block(database)["config"]["user"]
    server.run('CREATE SCHEMA "odd-schema"', database)
    server.run("CREATE EXTENSION vector", database)
    server.run(
        f'ALTER ROLE {role} IN DATABASE {database} SET search_path = "odd-schema", public', database
    )
    server.run(
        'CREATE TABLE "Mem 0""x" (id UUID PRIMARY KEY, vector vector(256), payload JSONB)', database
    )
    ours = open_backend(collection_name='Mem 0"x')
    ours.write([make_memory(n, created_at=MONTHS[n % 2]) for n in range(1_000)])
    ours.write([make_memory(0, created_at=MONTHS[1], text="corrected")])
    assert ours.delete([make_memory(n).id for n in range(1, 1_000)]) == 999
    assert ours.shrink(lambda _: None) > 1_000_000
    assert [each.text for each in ours.scan(filters=MINE)] == ["corrected"]


def test_no_byte_of_deleted_memories_is_left_in_tables(
    open_backend: Callable[..., EmbeddedBackend],
    make_memory: MakeMemory,
    server: postgres.Server,
    database: str,
) -> None:
    """Written anew wholly, however few were deleted."""
    ours = open_backend()
    ours.write([make_memory(n, text=f"bird{n:02d} sings") for n in range(60)])

    def is_in_files(text: bytes) -> bool:
        server.run("CHECKPOINT", database)
        (found,) = server.run(
            "SELECT oid FROM pg_database WHERE datname = current_database()", database
        )
        files = (server.folder / "data" / "base" / str(found[0])).iterdir()
        return any(text in path.read_bytes() for path in files)

    ours.delete([make_memory(7).id])
    ours.shrink(lambda _: None)
    assert is_in_files(b"bird07")
    ours.shrink(lambda _: None, alone=True)
    assert not is_in_files(b"bird07")
    assert is_in_files(b"bird08")


def test_what_is_in_use_keeps_its_space_and_says_so(
    open_backend: Callable[..., EmbeddedBackend],
    make_memory: MakeMemory,
    server: postgres.Server,
    database: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody waits for our waiting. Who does not own the table can not write it anew."""
    monkeypatch.setattr(shrinking, "_LOCK_MS", 10)
    ours = open_backend()
    ours.write([make_memory(n, created_at=MONTHS[0]) for n in range(500)])
    ours.delete([make_memory(n).id for n in range(499)])
    server.run("CREATE ROLE guest LOGIN PASSWORD 'guest'", database)
    server.run("GRANT SELECT, INSERT, UPDATE, DELETE ON mem0 TO guest", database)
    guest = open_backend(user="guest", password="guest")  # noqa: S106
    guest.write([make_memory(600, created_at=MONTHS[1])])
    assert partitions(server, database)["mem0_other"] == 1
    assert guest.shrink(lambda _: None) == 0
    assert "only the owner of the table mem0" in guest.upkeep_limits[0]
    with psycopg.connect(**server.block(database)["config"]) as reader:
        reader.execute("SELECT count(*) FROM mem0")
        assert ours.shrink(lambda _: None) == 0
        assert "was in use" in ours.upkeep_limits[0]
    assert ours.shrink(lambda _: None) > 100_000
    assert ours.upkeep_limits == []
