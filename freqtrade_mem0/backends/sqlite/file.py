"""The file under our vector store: its tables, its format version, and safe access to it.

One SQLite file in WAL mode, so that readers never wait for a writer. A commit is on disk when it
returns (`synchronous=FULL`): delivery marks records as delivered on the strength of it, and with
NORMAL a power cut could take back what was marked. One commit is paid per batch, not per memory.

Rows are never changed in place. A replaced memory is deleted and inserted under a new, higher
`seq`, and each deletion leaves its seq in `tombstones`. So what changed since a cache was filled is
"rows above the last seq" and "tombstones above the last one", for every process alike.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT_VERSION = 1
_APPLICATION_ID = 0x464D3076  # "FM0v": tells our files from other SQLite files
_BUSY_TIMEOUT_S = 30.0  # how long one process waits for another one's commit
_TOMBSTONES_KEPT = 20_000  # a cache further behind reads the collection anew

_SCHEMA = """
CREATE TABLE collections (
    collection INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again once dropped
    name TEXT NOT NULL UNIQUE,
    dimensions INTEGER           -- NULL until the first vector is stored
);
CREATE TABLE scopes (
    scope INTEGER PRIMARY KEY,
    owners TEXT NOT NULL UNIQUE  -- JSON: [user_id, agent_id, run_id]
);
CREATE TABLE memories (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    collection INTEGER NOT NULL,
    id TEXT NOT NULL,
    scope INTEGER NOT NULL,
    created_us INTEGER NOT NULL, -- microseconds since 1970 UTC
    vector BLOB NOT NULL,        -- float32, as the embedder gave it
    payload TEXT NOT NULL,       -- JSON, as Mem0 gave it
    UNIQUE (collection, id)
);
CREATE INDEX memories_by_change ON memories (collection, seq);
CREATE TABLE tombstones (n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (text);
CREATE VIRTUAL TABLE word_counts USING fts5vocab (words, row);
"""

_OPEN_FILES: weakref.WeakSet[SqliteFile] = weakref.WeakSet()
_LEFT_TO_THE_PARENT: list[object] = []


class SqliteFile:
    """Two connections to one store file, one for reading and one for writing, each under a lock.

    Safe to share between threads; every process (and every fork) has connections of its own.

    Parameters
    ----------
    path
        The file. It is created with mode 0600, and folders that are missing with 0700.

    Raises
    ------
    BackendError
        The file is no memory store, was written by a newer version, is damaged or out of reach.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._is_closed = False
        self._reset_locks()
        with self._named_errors():
            create_privately(path)
            connection = self._connect()
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            self._writer = connection
        _OPEN_FILES.add(self)

    def _reset_locks(self) -> None:
        self._read_lock = threading.RLock()
        self._write_lock = threading.RLock()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one unchanging state of the file until the block ends."""
        with self._read_lock, self._named_errors():
            self._refuse_if_closed()
            if self._reader is None:
                self._reader = self._connect()
            with _transaction(self._reader, "BEGIN"):
                yield self._reader

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection on which all changes of the block are committed together, or none."""
        with self._write_lock, self._named_errors():
            self._refuse_if_closed()
            if self._writer is None:
                self._writer = self._connect()
            with _transaction(self._writer, "BEGIN IMMEDIATE"):
                yield self._writer
                self._writer.execute(
                    "DELETE FROM tombstones WHERE n <= (SELECT max(n) FROM tombstones) - ?",
                    (_TOMBSTONES_KEPT,),
                )

    def close(self) -> None:
        """Close both connections; closing again does nothing."""
        with self._read_lock, self._write_lock:
            self._is_closed = True
            for connection in (self._reader, self._writer):
                if connection is not None:
                    connection.close()
            self._reader = self._writer = None

    def leave_to_the_parent(self) -> None:
        """Start afresh in a forked child, without touching what the parent has open.

        SQLite forbids using a connection across a fork, closing included, and a lock may have been
        held by a thread that does not exist here; so the old ones are kept alive, unused.
        """
        _LEFT_TO_THE_PARENT.append((self._reader, self._writer, self._read_lock, self._write_lock))
        self._reader = self._writer = None
        self._reset_locks()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=_BUSY_TIMEOUT_S,
            isolation_level=None,
            check_same_thread=False,  # the locks of this class see to it
        )
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        with _transaction(connection, "BEGIN"):  # or another process could create it in between
            is_new = self._format_of(connection) == 0
        if not is_new:  # nothing to do, and nobody's write to wait for
            return
        # Four memories of ordinary size fit a page of 8 KiB; of 4 KiB, one.
        connection.execute("PRAGMA page_size = 8192")
        switch_to_wal(connection)
        with _transaction(connection, "BEGIN IMMEDIATE"):
            if self._format_of(connection) == 0:
                for statement in _SCHEMA.split(";\n"):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")

    def _format_of(self, connection: sqlite3.Connection) -> int:
        """Return the file's format version, 0 for an empty file; refuse what is not ours."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables != 0 and application != _APPLICATION_ID:
            raise BackendError(
                f"{self.path} is an SQLite file but no memory store of freqtrade_mem0; "
                "move it away or choose another folder."
            )
        if version > FORMAT_VERSION:
            raise BackendError(
                f"{self.path} has file format {version}, this version of freqtrade_mem0 reads up "
                f"to {FORMAT_VERSION}; update freqtrade_mem0 or choose another folder."
            )
        return int(version)

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise BackendError(f"The memory store {self.path} is closed; open it anew to use it.")

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except UnicodeError as error:
            raise BackendError(
                f"The memory store {self.path} can not keep broken characters: {error}.",
                permanent=True,
            ) from error
        except (sqlite3.Error, OSError) as error:
            raise BackendError(
                f"The memory store {self.path} can not be used: {error}. "
                "Records stay in the journal and are delivered when it works again."
            ) from error


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[None]:
    connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # the block raised, or the commit did
            connection.execute("ROLLBACK")


def switch_to_wal(connection: sqlite3.Connection) -> None:
    """Switch to WAL, waiting by hand: SQLite does not apply its busy timeout to this change."""
    deadline_s = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise BackendError(
            "The folder of the memory store does not allow several processes to share a file "
            f"(SQLite's journal mode stayed {mode!r}); choose one on a local disk."
        )


def create_privately(path: Path) -> None:
    """Create the file before SQLite would, readable by its owner alone (-wal and -shm follow).

    A file that is there is not opened: closing it again would drop the locks that SQLite holds on
    it in this process, and another process could then delete a write-ahead log that is in use.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def _after_fork_in_child() -> None:
    for file in list(_OPEN_FILES):
        file.leave_to_the_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork_in_child)
