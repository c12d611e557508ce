"""PostgreSQL behind PgBouncer: pooled by transaction, and with TLS under a root of one's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.views.probe import probe
from tests.contract import postgres
from tests.servers.certificate import make_certificate
from tests.support.samples import a_trade
from tests.support.wait import HANG_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

pytestmark = pytest.mark.skipif(PROGRAM is None, reason="pgbouncer is not installed")


class Bouncer:
    """A PgBouncer on loopback with two server connections, which all clients share."""

    def __init__(self, folder: Path, server: postgres.Server) -> None:
        self.server = server
        self.port = postgres._free_port()
        _, self.root = make_certificate(folder)
        password = server.password.replace('"', '""')
        (folder / "users").write_text(f'"{postgres.USER}" "{password}"\n', encoding="utf-8")
        lines = [
            "[databases]",
            f"* = host=127.0.0.1 port={server.port}",
            "[pgbouncer]",
            *("listen_addr = 127.0.0.1", f"listen_port = {self.port}", "unix_socket_dir ="),
            *("auth_type = scram-sha-256", f"auth_file = {folder / 'users'}"),
            *("pool_mode = transaction", "default_pool_size = 2", "max_client_conn = 50"),
            "client_tls_sslmode = allow",
            f"client_tls_key_file = {folder / 'server.pem'}",
            f"client_tls_cert_file = {folder / 'server.pem'}",
        ]
        (folder / "pgbouncer.ini").write_text("\n".join(lines), encoding="utf-8")
        if os.geteuid() == 0:
            for path in (folder, *folder.iterdir()):
                shutil.chown(path, "nobody", "nogroup")
        self._log = folder / "log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [str(PROGRAM), str(folder / "pgbouncer.ini")],
                stdout=log,
                stderr=log,
                **postgres.as_whom(),
            )

    def block(self, database: str, **config: Any) -> dict[str, Any]:
        """Return the block of the config that names a database behind this pooler."""
        return self.server.block(database, port=self.port, **config)

    def answers(self) -> bool:
        """Tell whether a client gets through."""
        try:
            with psycopg.connect(**self.block("postgres")["config"]) as connection:
                return connection.execute("SELECT 1").fetchone() == (1,)
        except psycopg.OperationalError:
            return False

    def log(self) -> str:
        """Return what it said."""
        return self._log.read_text(errors="replace")

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(HANG_S)


@pytest.fixture(scope="module")
def bouncer() -> Iterator[Bouncer]:
    """A pooler in front of the server that all tests share."""
    server = postgres.shared_server()
    with tempfile.TemporaryDirectory(prefix="pgbouncer-") as folder:
        made = Bouncer(Path(folder), server)
        with closing(made):
            assert eventually(made.answers), made.log()
            yield made


def a_memory(folder: Path, block: dict[str, Any]) -> MemoryFolder:
    """Return a memory whose vectors are in a database."""
    settings = {"user_id": "me", "mode": "server", "vector_store": block}
    return MemoryFolder(Settings.model_validate(settings), folder)


def test_many_machines_share_few_connections(bouncer: Bouncer, tmp_path: Path) -> None:
    """Written and read from threads of several memories at once; nothing is lost or mixed up."""
    database = bouncer.server.new_database()
    stores = [a_memory(tmp_path / str(n), bouncer.block(database)) for n in range(3)]
    errors: list[BaseException] = []

    def work(number: int) -> None:
        store = stores[number % len(stores)]
        try:
            for first in range(3):
                ids = [100 * number + 10 * first + each for each in range(5)]
                store.backend.write([store.memory_of(a_trade(each)) for each in ids])
                assert all(store.backend.get(a_trade(each).id) is not None for each in ids)
            assert probe(store.backend)
        except BaseException as error:  # noqa: BLE001 - shown below, in the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=[number]) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(HANG_S)
    assert errors == []
    assert stores[0].backend.count(filters={"user_id": "me"}) == {(): 9 * 3 * 5}
    for store in stores:
        store.close()


def test_nothing_is_left_on_connections_of_others(bouncer: Bouncer, tmp_path: Path) -> None:
    """No `statement_timeout` and no other setting of ours reaches the next client."""
    database = bouncer.server.new_database()
    store = a_memory(tmp_path, bouncer.block(database))
    assert probe(store.backend)
    with psycopg.connect(**bouncer.block(database)["config"], autocommit=True) as other:
        for name, value in (("statement_timeout", "0"), ("lock_timeout", "0")):
            assert other.execute(f"SHOW {name}".encode()).fetchone() == (value,)
        assert other.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
        locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        assert other.execute(locks.encode()).fetchone() == (0,)
    store.close()


@pytest.mark.parametrize("form", ["keys", "connection_string"])
def test_tls_with_a_root_of_ones_own(bouncer: Bouncer, tmp_path: Path, form: str) -> None:
    """`sslrootcert` names the root, and the server's name is checked."""
    database = bouncer.server.new_database()
    tls = {"sslmode": "verify-full", "sslrootcert": str(bouncer.root)}
    block = bouncer.block(database, **tls)
    if form == "connection_string":
        config = bouncer.block(database)["config"]
        text = psycopg.conninfo.make_conninfo(**config | tls)
        block = {"provider": "pgvector", "config": {"connection_string": text}}
    store = a_memory(tmp_path, block)
    assert probe(store.backend)
    store.close()


@pytest.mark.parametrize(
    ("root", "why"), [("", "root certificate"), ("other", "certificate verify failed")]
)
def test_tls_that_can_not_be_verified_is_refused(
    bouncer: Bouncer, tmp_path: Path, root: str, why: str
) -> None:
    """Without the root, or with another one; the message says so and shows no password."""
    path = tmp_path / "missing.pem"
    if root:
        _, path = make_certificate(tmp_path)
    tls = {"sslmode": "verify-full", "sslrootcert": str(path)}
    store = a_memory(tmp_path, bouncer.block("postgres", **tls))
    with pytest.raises(BackendError, match=why) as error:
        store.backend.count(filters={})
    assert bouncer.server.password not in str(error.value)
    assert len(str(error.value)) < 1_000
    store.close()
