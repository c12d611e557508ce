"""A real PostgreSQL with pgvector for tests and benchmarks, from the wheel `pgserver`.

Its programs are started directly: `pgserver` itself would open the rights of every folder above the
data, and knows no password. PostgreSQL refuses to run as root, so root starts it as `nobody`.
"""

from __future__ import annotations

import atexit
import functools
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from tests.support.wait import HANG_S, eventually

USER = "keeper"


@dataclass
class Server:
    """One PostgreSQL, listening on loopback, with a password; everything in one folder."""

    folder: Path
    programs: Path
    port: int
    password: str
    _process: subprocess.Popen[bytes] | None = None
    _n_databases: int = field(default=0)

    def start(self) -> None:
        """Start it, after a crash as well, and wait until it answers."""
        assert eventually(self._is_up), self._log()

    def _is_up(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            # What a killed server left behind can still hold its memory for a moment.
            with (self.folder / "log").open("ab") as log:
                self._process = subprocess.Popen(
                    [
                        str(self.programs / "postgres"),
                        *("-D", str(self.folder / "data"), "-p", str(self.port)),
                        *("-c", "listen_addresses=127.0.0.1"),
                        *("-c", f"unix_socket_directories={self.folder}"),
                        *("-c", "max_connections=60"),
                        # In its folder, as a killed server leaves other shared memory behind.
                        *("-c", "dynamic_shared_memory_type=mmap"),
                    ],
                    stdout=subprocess.DEVNULL,
                    stderr=log,
                    **as_whom(),
                )
        return self.answers()

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        import psycopg

        try:
            self.run("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """End the server and all its children at once, as SIGKILL does."""
        assert self._process is not None
        family = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        for each in family:
            if each.is_running():
                each.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=HANG_S)
        self._process.wait(HANG_S)

    def pids(self) -> list[int]:
        """Return the ids of the server's processes, itself first."""
        assert self._process is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        return [self._process.pid, *(each.pid for each in children)]

    def stop(self) -> None:
        """End the server and remove its folder."""
        if self._process is not None and self._process.poll() is None:
            self.kill()  # nobody wants its files any more
        shutil.rmtree(self.folder, ignore_errors=True)

    def new_database(self) -> str:
        """Create an empty database and return its name."""
        self._n_databases += 1
        name = f"bots_{os.getpid()}_{self._n_databases}"
        self.run(f"CREATE DATABASE {name}")
        return name

    def run(self, statement: str, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the owner; return its rows."""
        import psycopg

        address: dict[str, Any] = self.block(database)["config"]
        with psycopg.connect(autocommit=True, **address) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def block(self, database: str, **changes: Any) -> dict[str, Any]:
        """Return the block of Mem0's configuration that names a database of this server."""
        config = {
            "host": "127.0.0.1",
            "port": self.port,
            "user": USER,
            "password": self.password,
            "dbname": database,
        }
        return {"provider": "pgvector", "config": config | changes}

    def _log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")[-2_000:]


def as_whom() -> dict[str, Any]:
    """Return what a PostgreSQL must be started with, so that it does not run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": "nobody", "group": "nogroup", "extra_groups": [], "cwd": "/"}


@functools.cache
def installed_programs() -> Path:
    """Return the folder of PostgreSQL's programs, a copy where `nobody` can not enter it."""
    pgserver = pytest.importorskip("pgserver", reason="pgserver (PostgreSQL) is not installed")
    package = Path(pgserver.__file__).parent
    programs = package / "pginstall" / "bin"
    program: list[str | Path] = [programs / "initdb", "--version"]
    try:
        subprocess.run(program, check=True, stdout=subprocess.DEVNULL, **as_whom())
    except PermissionError:
        copied = Path(tempfile.mkdtemp(prefix="postgres-programs-"))
        atexit.register(shutil.rmtree, copied, ignore_errors=True)
        copied.chmod(0o755)
        for part in package.parent.glob("pgserver*"):  # the wheel keeps libraries beside it
            shutil.copytree(part, copied / part.name)
        return copied / programs.relative_to(package.parent)
    return programs


def make_server() -> Server:
    """Make a server of its own and start it; skip the test where PostgreSQL is not installed."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = installed_programs()
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    password = secrets.token_urlsafe(12) + "@/:' \\"  # what an address without care would break at
    try:
        secret = folder / "password"
        secret.write_text(password)
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody", "nogroup")
            shutil.chown(secret, "nobody", "nogroup")
        subprocess.run(
            [
                str(programs / "initdb"),
                *("-D", str(folder / "data"), "-U", USER, "--pwfile", str(secret)),
                *("--auth=scram-sha-256", "--encoding=utf8", "--no-sync"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
            **as_whom(),
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    server = Server(folder, programs, _free_port(), password)
    server.start()
    return server


@functools.cache
def shared_server() -> Server:
    """Return the server that all tests of this run share; it ends with the run."""
    server = make_server()
    atexit.register(server.stop)
    return server


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
