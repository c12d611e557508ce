"""The file that maps our ids to a server's and notes writes whose result is not known.

A small SQLite file (mode 0600, WAL), shared by all processes of a folder. Each step of a write is
noted before it is done, so a killed process leaves a note of what has to be looked up. If the file
is lost, memories have to be looked up but none is lost: every remote memory carries our id.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.sqlite_files.opening import create_privately, explain, make_folder, open_shared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from freqtrade_mem0.backends.remote.http import Patience

FILE_NAME = "remote_ids.sqlite"
FORMAT_VERSION = 1
_BUSY_TIMEOUT_S = 30.0
_TURN_PAUSE_S = 0.01

UNCERTAIN = "uncertain"  # noted before it was sent; it is not known whether it is stored
SENT = "sent"  # accepted; the server stores it later
CONFIRMED = "confirmed"  # stored
FORGOTTEN = "forgotten"  # deleted while it was not known whether it is stored

_SCHEMA = """
CREATE TABLE IF NOT EXISTS writes (
    destination TEXT NOT NULL,    -- server (and project) by name
    id TEXT NOT NULL,             -- our id
    state TEXT NOT NULL,
    digest TEXT NOT NULL,         -- of what was written
    remote_id TEXT,
    event_id TEXT,                -- of the platform; tells how the write ended
    noted_at REAL NOT NULL,       -- epoch seconds
    PRIMARY KEY (destination, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS surplus (
    destination TEXT NOT NULL,
    remote_id TEXT NOT NULL,      -- to be deleted: there is a newer copy
    PRIMARY KEY (destination, remote_id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listed (
    destination TEXT NOT NULL,
    scope TEXT NOT NULL,
    noted_at REAL NOT NULL,       -- when all of the scope was noted in `writes`
    PRIMARY KEY (destination, scope)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """What is known of one write."""

    id: str
    state: str
    digest: str
    remote_id: str | None = None
    event_id: str | None = None
    noted_at: float = 0.0


class RemoteIds:
    """The file's rows of one destination; safe to share between threads and processes.

    A missing folder is created with mode 0700. `destination` names the server (and project) that
    the remote ids belong to, without a secret.
    """

    def __init__(self, folder: Path, destination: str) -> None:
        self._path = folder / FILE_NAME
        self._destination = destination
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_closed = False

    def of(self, memory_ids: Iterable[str]) -> dict[str, Write]:
        """Return what is known of these memories."""
        names = [each.name for each in fields(Write)]
        with self._transaction() as connection:
            rows = connection.execute(
                f"SELECT {', '.join(names)} FROM writes "  # noqa: S608 - our own names
                "WHERE destination = ? AND id IN (SELECT value FROM json_each(?))",
                (self._destination, json.dumps(list(memory_ids))),
            )
            return {row[0]: Write(**dict(zip(names, row, strict=True))) for row in rows}

    def note(self, writes: Iterable[Write]) -> None:
        """Replace what is known of these memories, in one transaction."""
        now = time.time()
        with self._transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO writes VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (self._destination, w.id, w.state, w.digest, w.remote_id, w.event_id, now)
                    for w in writes
                ],
            )

    def forget(self, memory_ids: Iterable[str]) -> None:
        """Delete what is known of these memories."""
        with self._transaction() as connection:
            connection.executemany(
                "DELETE FROM writes WHERE destination = ? AND id = ?",
                [(self._destination, each) for each in memory_ids],
            )

    def forgotten(self) -> dict[str, float]:
        """Return ids and times of memories deleted before it was known that they are stored."""
        with self._transaction() as connection:
            return dict(
                connection.execute(
                    "SELECT id, noted_at FROM writes WHERE destination = ? AND state = ?",
                    (self._destination, FORGOTTEN),
                ).fetchall()
            )

    def surplus(self) -> list[str]:
        """Return the remote ids that are to be deleted."""
        with self._transaction() as connection:
            rows = connection.execute(
                "SELECT remote_id FROM surplus WHERE destination = ?", (self._destination,)
            )
            return [remote_id for (remote_id,) in rows]

    def note_surplus(self, remote_ids: Iterable[str], *, is_gone: bool = False) -> None:
        """Note remote ids that are to be deleted, or that are deleted."""
        statement = "INSERT OR IGNORE INTO surplus VALUES (?, ?)"
        if is_gone:
            statement = "DELETE FROM surplus WHERE destination = ? AND remote_id = ?"
        with self._transaction() as connection:
            connection.executemany(statement, [(self._destination, each) for each in remote_ids])

    def listed_at(self, scope: str) -> float:
        """Return when a scope was last listed, in epoch seconds; 0 for never."""
        with self._transaction() as connection:
            row = connection.execute(
                "SELECT noted_at FROM listed WHERE destination = ? AND scope = ?",
                (self._destination, scope),
            ).fetchone()
        return 0.0 if row is None else float(row[0])

    def note_listed(self, scope: str) -> None:
        """Note that a scope was listed and all its memories are noted."""
        with self._transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO listed VALUES (?, ?, ?)",
                (self._destination, scope, time.time()),
            )

    @contextmanager
    def turn(self, patience: Patience) -> Iterator[None]:
        """Let one process at a time send; a killed process ends its turn.

        Raises `BackendError` where another process does not end its turn in the time of this call.
        """
        path = self._path.with_suffix(".lock")
        make_folder(path.parent)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _is_locked(file):
                if not patience.wait(_TURN_PAUSE_S):
                    raise BackendError(
                        f"Another process holds {path} for longer than one write takes. Memories "
                        "stay in the journal and are delivered later."
                    )
            try:
                yield
            finally:
                fcntl.flock(file, fcntl.LOCK_UN)  # also where a forked child has the file open
        finally:
            os.close(file)

    def close(self) -> None:
        """Close the file; closing again does nothing, use after it is refused."""
        with self._lock:
            self._is_closed = True
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            if self._is_closed:
                raise BackendError(f"{self._path} is closed; open the backend anew to use it.")
            try:
                if self._connection is None:
                    self._connection = self._open()
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                    self._connection.execute("COMMIT")
                finally:
                    if self._connection.in_transaction:
                        self._connection.execute("ROLLBACK")
            except (sqlite3.Error, OSError) as error:
                cause = explain(error, self._path) if isinstance(error, sqlite3.Error) else None
                raise BackendError(
                    f"{self._path} can not be used: {cause or error}. It only maps our ids to "
                    "Mem0's; if it is damaged, move it away: a new one is made."
                ) from error

    def _open(self) -> sqlite3.Connection:
        create_privately(self._path)
        connection = open_shared(
            self._path,
            _BUSY_TIMEOUT_S,
            refuse=self._refuse_newer,
            new_file_pragma="PRAGMA page_size = 4096",
        )
        try:
            if self._refuse_newer(connection) == 0:
                connection.executescript(_SCHEMA)
                connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
            connection.execute("PRAGMA synchronous = NORMAL")  # enough for a killed process
        except BaseException:
            connection.close()
            raise
        return connection

    def _refuse_newer(self, connection: sqlite3.Connection) -> int:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT_VERSION:
            raise BackendError(
                f"{self._path} has file format {version}, this version of freqtrade_mem0 reads up "
                f"to {FORMAT_VERSION}; update freqtrade_mem0 or choose another folder."
            )
        return version


def _is_locked(file: int) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
