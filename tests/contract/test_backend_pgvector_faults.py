"""Mem0 on a real PostgreSQL: several processes, and a server that is killed, away or hangs."""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import psutil  # type: ignore[import-untyped]
import pytest

from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.errors import BackendError
from tests.contract import postgres
from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S, eventually, repeated

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freqtrade_mem0.records.memory import Memory

    MakeMemory = Callable[..., Memory]

MINE = {"user_id": "me"}


WRITER = """
import json, sys
from uuid import UUID
from freqtrade_mem0.backends.pgvector.store import PgvectorStore

address, worker, n_batches = json.loads(sys.stdin.readline())
store = PgvectorStore("mem0", 256, timeout_s=60, **address)
for batch in range(n_batches):
    # Twenty of its own, and two that all workers write, in an order that differs.
    first = 1_000_000 * worker + 20 * batch
    shared = (9_000_000 + batch, 9_000_001 + batch)[:: 1 if worker % 2 else -1]
    numbers = [*range(first, first + 20), *shared]
    ids = [str(UUID(int=n)) for n in numbers]
    rows = [
        {"user_id": "me", "data": f"number {n} of all", "n": n, "of": f"w{n // 1_000_000}",
         "by": worker}
        for n in numbers
    ]
    store.insert([[1.0, n / 1e7] + [0.0] * 254 for n in numbers], rows, ids)
    print(json.dumps(ids), flush=True)
    if batch % 5 == 0:
        assert store.count({"of": f"w{worker}"}) == {(): 20 * (batch + 1)}
        assert len(store.search("", [1.0] + [0.0] * 255, 5, {"user_id": "me"})) == 5
store.close()
"""


def start_writer(
    server: postgres.Server, database: str, worker: int, n_batches: int
) -> subprocess.Popen[str]:
    """Start a process that writes batches and prints the ids of each once it is stored."""
    address = server.block(database)["config"]
    writer = ForkedPython(
        [sys.executable, "-c", WRITER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert writer.stdin is not None
    writer.stdin.write(json.dumps([address, worker, n_batches]) + "\n")
    writer.stdin.flush()
    return writer


def test_bots_start_at_once_on_an_empty_database(
    open_backend: Callable[..., EmbeddedBackend],
    server: postgres.Server,
    database: str,
) -> None:
    """Four processes make the table, write the same and their own, and read: nothing is lost."""
    writers = [start_writer(server, database, n, 20) for n in range(4)]

    ends = [writer.communicate(timeout=HANG_S) for writer in writers]

    assert [(writer.returncode, err) for writer, (_, err) in zip(writers, ends, strict=True)] == [
        (0, "")
    ] * 4
    counts = {(f"w{n}",): 400 for n in range(4)} | {("w9",): 21}
    assert counts == open_backend().count(filters={}, by=["of"])


def test_threads_share_a_backend(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """More threads than connections write, search and count at once, from the first call on."""
    backend = open_backend(maxconn=3)

    def work(worker: int) -> int:
        for n in range(10 * worker, 10 * worker + 10):
            backend.write([make_memory(n)])
            assert backend.search("profit", filters=MINE, limit=3) != []
        return len(list(backend.scan(filters=MINE)))

    with ThreadPoolExecutor(8) as threads:
        counts = list(threads.map(work, range(8)))

    assert max(counts) <= 80
    assert backend.count(filters={}) == {(): 80}


def test_what_was_acknowledged_survives_the_death_of_a_writer(
    open_backend: Callable[..., EmbeddedBackend],
    server: postgres.Server,
    database: str,
) -> None:
    """Writers killed at random instants lose nothing that was acknowledged; batches are whole."""
    instants = random.Random(3)
    acknowledged: list[str] = []
    for turn in range(3):
        writer = start_writer(server, database, turn, 50_000)
        assert writer.stdout is not None
        acknowledged += [writer.stdout.readline() for _ in range(instants.randint(1, 30))]
        writer.send_signal(signal.SIGKILL)
        acknowledged += writer.stdout.readlines()
        writer.communicate(timeout=HANG_S)

    backend = open_backend()
    assert missing(backend, acknowledged) == set()
    for turn in range(3):
        assert backend.count(filters={"of": f"w{turn}"})[()] % 20 == 0


def missing(backend: EmbeddedBackend, lines: list[str]) -> set[str]:
    """Return the acknowledged ids that are not there."""
    ids = {each for line in lines if line.endswith("\n") for each in json.loads(line)}
    return ids - {each.id for each in backend.scan(filters={})}


def test_deliveries_survive_the_death_of_the_server(
    own_server: postgres.Server, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Killed in the middle of deliveries and restarted: after retries all is there, once."""
    block = own_server.block(own_server.new_database())
    backend = EmbeddedBackend(tmp_path / "mem0", vector_store=block, timeout_s=20)
    batches = [[make_memory(n) for n in range(at, at + 50)] for at in range(0, 3_000, 50)]
    n_delivered, n_failed = 0, 0
    has_begun = threading.Event()

    def deliver() -> None:
        nonlocal n_delivered, n_failed
        for batch in batches:
            while True:
                try:
                    backend.write(batch)
                except BackendError as error:
                    assert not error.permanent, error  # noqa: PT017 - each of them is looked at
                    n_failed += 1
                    assert eventually(own_server.answers)
                else:
                    break
            n_delivered += 1
            has_begun.set()

    def is_on(before: int) -> bool:
        return n_delivered > before or delivery.done()

    with ThreadPoolExecutor(1) as threads:
        delivery = threads.submit(deliver)
        for _ in range(3):
            has_begun.wait(HANG_S)
            before = n_delivered
            own_server.kill()
            own_server.start()
            assert eventually(partial(is_on, before))
        delivery.result(timeout=HANG_S)

    assert n_failed > 0
    assert [each for batch in batches for each in batch] == list(backend.scan(filters={}))
    backend.close()


def test_a_restarted_server_is_found_again(
    own_server: postgres.Server, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """Connections that a restart has cut are replaced before anybody notices."""
    block = own_server.block(own_server.new_database())
    backend = EmbeddedBackend(tmp_path / "mem0", vector_store=block, timeout_s=20)
    backend.write([make_memory(0)])

    own_server.kill()
    own_server.start()

    assert backend.get(make_memory(0).id) == make_memory(0)
    backend.close()


def test_a_server_that_is_away_is_named(
    own_server: postgres.Server,
    tmp_path: Path,
    make_memory: MakeMemory,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The sentence says which database at which host, no password, and may be tried again."""
    caplog.set_level(logging.DEBUG)
    block = own_server.block("bots")
    own_server.kill()
    backend = EmbeddedBackend(tmp_path / "mem0", vector_store=block, timeout_s=2)

    calls: list[Callable[[], object]] = [
        partial(backend.write, [make_memory(0)]),
        partial(backend.get, make_memory(0).id),
    ]
    for call in calls:
        with pytest.raises(BackendError) as failed:
            call()
        assert f"127.0.0.1, port {own_server.port}, database bots" in str(failed.value)
        assert not failed.value.permanent
        told = [str(failed.value), repr(failed.value.__cause__), caplog.text, repr(backend)]
        told += [repr(backend.memory.config), str(vars(backend.memory.vector_store))]
        assert own_server.password not in " ".join(told)
    backend.close()


def test_a_host_that_takes_calls_and_says_nothing_is_given_up(
    tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A port where nobody answers ends in an error instead of waiting for ever."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        block = postgres.Server(tmp_path, tmp_path, silent.getsockname()[1], "x").block("bots")
        backend = EmbeddedBackend(tmp_path / "mem0", vector_store=block, timeout_s=0.5)

        with pytest.raises(BackendError, match="database bots"):
            backend.write([make_memory(0)])

    backend.close()


def test_a_server_that_hangs_is_given_up(
    own_server: postgres.Server, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """A server that is stopped in the middle costs one wait, and is used again when it is back."""
    block = own_server.block(own_server.new_database())
    backend = EmbeddedBackend(tmp_path / "mem0", vector_store=block, timeout_s=1.5)
    assert eventually(lambda: wrote(backend, make_memory(0)))
    stopped = [psutil.Process(pid) for pid in own_server.pids()]
    for each in stopped:
        each.suspend()

    with pytest.raises(BackendError, match=r"no answer within|timeout|timed out") as failed:
        backend.write([make_memory(1)])

    assert not failed.value.permanent
    for each in stopped:
        each.resume()
    assert eventually(lambda: wrote(backend, make_memory(1)))
    assert repeated(lambda: backend.count(filters={}), BackendError) == {(): 2}
    backend.close()


def wrote(backend: EmbeddedBackend, memory: Memory) -> bool:
    """Tell whether a memory could be written."""
    try:
        backend.write([memory])
    except BackendError:
        return False
    return True


def is_idle(server: postgres.Server, database: str) -> bool:
    """Tell whether no statement of a backend waits in the server."""
    (row,) = server.run(
        "SELECT count(*) FROM pg_stat_activity WHERE state = 'active'"  # noqa: S608
        f" AND application_name = 'freqtrade_mem0' AND datname = '{database}'"
    )
    return row == (0,)


def test_a_long_statement_is_ended_by_the_server(
    open_backend: Callable[..., EmbeddedBackend],
    server: postgres.Server,
    database: str,
    make_memory: MakeMemory,
) -> None:
    """A write that waits for somebody's lock gives up in time, and goes through later."""
    import psycopg

    backend = open_backend(timeout_s=1.0)
    assert eventually(lambda: wrote(backend, make_memory(0)))
    config = server.block(database)["config"]
    with psycopg.connect(**config) as other:
        other.execute("LOCK TABLE mem0 IN EXCLUSIVE MODE")
        with pytest.raises(BackendError, match=r"statement timeout|no answer within"):
            backend.write([make_memory(1)])
        assert eventually(partial(is_idle, server, database))

    assert eventually(lambda: wrote(backend, make_memory(1)))
    assert repeated(lambda: backend.count(filters={}), BackendError) == {(): 2}


@pytest.mark.parametrize(
    "config",
    [
        {"connection_string": "postgresql://me:hush-hush@host:notaport/bots"},
        {"connection_string": "password hush-hush and more"},
        {"password": "hush-hush", "user": "me", "host": "x", "port": "notaport"},
        {"password": "hush-hush", "user": "me", "host": "x", "prt": 5432},
        {"password": "hush-hush", "user": "me", "host": "x", "port": 1, "diskann": True},
        {"password": "hush-hush", "host": "127.0.0.1", "port": 9, "user": "me"},
    ],
    ids=["port", "words", "field", "name", "diskann", "nobody there"],
)
def test_a_wrong_block_is_told_without_its_password(
    tmp_path: Path, config: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither the sentence nor what hangs behind it shows a secret."""
    caplog.set_level(logging.DEBUG)
    block = {"provider": "pgvector", "config": config}
    backend = EmbeddedBackend(tmp_path / "mem0", vector_store=block, timeout_s=2)

    with pytest.raises(BackendError) as refused:
        backend.count(filters={})

    said = "".join([repr(refused.value), repr(refused.value.__cause__), caplog.text])
    assert "hush-hush" not in said


def test_a_connection_string_says_it_all(
    server: postgres.Server, database: str, tmp_path: Path, make_memory: MakeMemory
) -> None:
    """An address in one piece, as people keep it in an environment variable, works too."""
    from urllib.parse import quote

    address = f"{postgres.USER}:{quote(server.password, safe='')}@127.0.0.1:{server.port}"
    block = {
        "provider": "pgvector",
        "config": {"connection_string": f"postgresql://{address}/{database}"},
    }
    backend = EmbeddedBackend(tmp_path / "mem0", vector_store=block)

    backend.write([make_memory(0)])

    assert server.run("SELECT count(*) FROM mem0", database) == [(1,)]
    backend.close()


def test_nothing_stays_on_a_connection_that_a_pooler_shares(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """Whoever gets it next has the server's own settings, and finds no prepared statement."""
    backend = open_backend()
    for _ in range(7):  # psycopg prepares what comes again
        backend.write([make_memory(0)])
        assert backend.count(filters=MINE) == {(): 1}
    link = backend.memory.vector_store._link
    changed = "SELECT name FROM pg_settings WHERE source = 'session' AND name <> 'application_name'"
    with link._connected() as connection:
        assert connection.execute(changed).fetchall() == []
        assert connection.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)
    with link.transaction() as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("54s",)


def test_settings_of_postgresqls_library_are_passed_on(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """Those that Mem0 does not know; the library itself says what is wrong with them."""
    from psycopg.conninfo import conninfo_to_dict

    from freqtrade_mem0.backends.pgvector.link import address_of

    backend = open_backend(options="-c work_mem=5MB", sslmode="prefer", keepalives_idle=7)
    backend.write([make_memory(0)])
    link = backend.memory.vector_store._link
    with link.transaction() as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("5MB",)

    certificates = {"sslmode": "verify-full", "sslrootcert": "/etc/ssl/root.pem", "sslsni": "0"}
    address = address_of({"host": "db", "libpq": certificates}, timeout_s=1)
    assert certificates.items() <= conninfo_to_dict(address.conninfo).items()
    wrong = open_backend(sslmode="verified")
    with pytest.raises(BackendError, match='invalid sslmode value: "verified"'):
        wrong.count(filters={})


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sslrootcrt": "x"}, '"sslrootcrt" is no setting .* Did you mean "sslrootcert"'),
        ({"maxconn": 0}, '"maxconn" of the vector store "pgvector" is 0; it must be at least 1'),
        ({"collection_name": ""}, "must have 1 to 43 bytes"),
        ({"collection_name": "x" * 44}, "must have 1 to 43 bytes"),
    ],
    ids=["unknown", "connections", "empty", "long"],
)
def test_a_setting_that_can_not_be_is_refused_by_name(
    open_backend: Callable[..., EmbeddedBackend], changes: dict[str, Any], why: str
) -> None:
    """Before the database is asked."""
    with pytest.raises(BackendError, match=why):
        open_backend(**changes).count(filters={})


def test_a_forked_child_connects_anew(
    open_backend: Callable[..., EmbeddedBackend], make_memory: MakeMemory
) -> None:
    """After a fork parent and child both write, and the child's end leaves the parent's alone."""
    backend = open_backend()
    backend.write([make_memory(0)])

    child = os.fork()
    if child == 0:
        try:
            backend.write([make_memory(1)])
            backend.close()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)

    assert os.waitstatus_to_exitcode(status) == 0
    backend.memory.update(make_memory(0).id, text="changed")
    assert backend.count(filters={}) == {(): 2}
