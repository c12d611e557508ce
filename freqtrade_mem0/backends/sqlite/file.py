"""The file of our vector store: its tables, its format version, and safe access to it.

It is one SQLite file in WAL mode, so readers never wait for a writer. A commit is on disk when it
returns (`synchronous=FULL`): delivery then marks the records as delivered, and a power cut must not
undo what was marked. The price is one disk sync per batch.

Rows are never changed in place, but for their vectors: they are shortened, or made anew by another
embedder, which `renewals` counts. A replaced memory is deleted and inserted under a new, higher
`seq`, and each deletion leaves its seq in `tombstones`. What changed since a process filled its
cache is therefore: rows above the last seq it read, and tombstones above the last one.
"""

from __future__ import annotations

import sqlite3
import threading
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.sqlite import times
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.sqlite_files.connecting import connect
from freqtrade_mem0.sqlite_files.opening import (
    create_privately,
    explain,
    is_writable,
    open_read_only,
    open_shared,
)
from freqtrade_mem0.sqlite_files.turns import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT_VERSION = 4
"""Since 2, vectors and payloads may be compressed. Since 3, vectors name their embedder. Since 4,
there is an index of the times at which rows were stored."""
_WITH_EMBEDDERS = 3
_WITH_TIMES = 4
_APPLICATION_ID = 0x464D3076  # "FM0v": tells our files from other SQLite files
_BUSY_TIMEOUT_S = 30.0  # longest wait for another process to commit
_TOMBSTONES_KEPT = 2_000  # a cache further behind reads the whole collection again

_SCHEMA = """
CREATE TABLE collections (
    collection INTEGER PRIMARY KEY AUTOINCREMENT, -- a dropped number is not reused
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
    payload TEXT NOT NULL,       -- JSON, as Mem0 gave it; a blob once compressed
    UNIQUE (collection, id)
);
CREATE INDEX memories_by_change ON memories (collection, seq);
CREATE TABLE tombstones (n INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL);
CREATE VIRTUAL TABLE words USING fts5 (text);
CREATE VIRTUAL TABLE word_counts USING fts5vocab (words, row);
"""


_SINCE_3 = """
CREATE TABLE embedders (embedder INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
-- NULL: stored before format 3, or by an embedder without a name
ALTER TABLE memories ADD COLUMN embedder INTEGER;
-- the one that made all vectors of the collection; NULL: not known, or several
ALTER TABLE collections ADD COLUMN embedder INTEGER;
-- how often vectors were made anew in place
ALTER TABLE collections ADD COLUMN renewals INTEGER NOT NULL DEFAULT 0;
"""


_SINCE_4 = """
-- see times.py
CREATE TABLE times (seq INTEGER PRIMARY KEY, stored_us INTEGER NOT NULL);
CREATE INDEX times_by_moment ON times (stored_us);
CREATE TRIGGER no_time_without_row AFTER DELETE ON memories
BEGIN DELETE FROM times WHERE seq = old.seq; END
"""


class SqliteFile:
    """A reading and a writing connection to one store file; safe to share between threads.

    A missing file is created with mode 0600, missing folders with 0700. Every method raises
    `BackendError` where the file is no memory store, is damaged, can not be reached, or was written
    by a newer version. Not to be used across a fork (`EmbeddedBackend` opens it again in a child).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._is_closed = False
        self._read_lock = threading.RLock()
        self._write_lock = threading.RLock()
        with self._named_errors():
            if self._can_only_be_read():
                self._reader = open_read_only(path, _BUSY_TIMEOUT_S)
                self._format_of(self._reader)
            else:
                self._writer = self._open()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that sees one state of the file until the block ends."""
        with self._read_lock, self._named_errors():
            self._refuse_if_closed()
            if self._reader is None:
                opened = open_read_only if self._can_only_be_read() else connect
                self._reader = opened(self.path, _BUSY_TIMEOUT_S)
            with _transaction(self._reader, "BEGIN"):
                yield self._reader

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection; the changes of the block are committed together, or none of them."""
        with self._write_lock, self._named_errors():
            self._refuse_if_closed()
            if self._writer is None:
                self._writer = self._open()
            with _transaction(self._writer, "BEGIN IMMEDIATE", self.path):
                yield self._writer
                self._writer.execute(
                    "DELETE FROM tombstones WHERE n <= (SELECT max(n) FROM tombstones) - ?",
                    (_TOMBSTONES_KEPT,),
                )

    @contextmanager
    def outside(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for what no transaction allows, such as VACUUM."""
        with self._read_lock, self._write_lock, self._named_errors():
            self._refuse_if_closed()
            if self._writer is None:
                self._writer = self._open()
            yield self._writer

    def close(self) -> None:
        """Close both connections; closing again does nothing."""
        self._is_closed = True
        self.rest()

    def rest(self) -> None:
        """Close both connections until they are used again."""
        with self._read_lock, self._write_lock:
            for connection in (self._reader, self._writer):
                if connection is not None:
                    connection.close()
            self._reader = self._writer = None

    def _can_only_be_read(self) -> bool:
        return self.path.is_file() and not is_writable(self.path)

    def _open(self) -> sqlite3.Connection:
        create_privately(self.path)
        connection = open_shared(
            self.path,
            _BUSY_TIMEOUT_S,
            refuse=self._format_of,
            # A memory takes several of these pages, so little of them stays empty.
            new_file_pragma="PRAGMA page_size = 1024; PRAGMA auto_vacuum = INCREMENTAL",
        )
        try:
            connection.execute("PRAGMA synchronous = FULL")
            # What is deleted is overwritten, and does not stand in the file until it is used again.
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA journal_size_limit = 67108864")
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        if self._format_of(connection) < FORMAT_VERSION:
            with _transaction(connection, "BEGIN IMMEDIATE"):
                version = self._format_of(connection)  # another process may have been first
                if version == 0:
                    _execute(connection, _SCHEMA)
                    connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
                if version < _WITH_EMBEDDERS:
                    _execute(connection, _SINCE_3)
                if version < _WITH_TIMES:
                    _execute(connection, _SINCE_4)
                    times.note_all(connection)
                connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")

    def _format_of(self, connection: sqlite3.Connection) -> int:
        """Return the file's format version, 0 for an empty file; refuse what is not ours."""
        with _transaction(connection, "BEGIN") if not connection.in_transaction else nullcontext():
            return self._checked_format(connection)

    def _checked_format(self, connection: sqlite3.Connection) -> int:
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if tables != 0 and application != _APPLICATION_ID:
            raise BackendError(
                f"{self.path} is an SQLite file but no memory store of freqtrade_mem0; move it "
                "away or choose another folder."
            )
        if version > FORMAT_VERSION:
            raise BackendError(
                f"{self.path} has file format {version}, this version of freqtrade_mem0 reads up "
                f"to {FORMAT_VERSION}; update freqtrade_mem0 or choose another folder."
            )
        return int(version)

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise BackendError(f"The memory store {self.path} is closed; open it again to use it.")

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
            cause = explain(error, self.path) if isinstance(error, sqlite3.Error) else None
            raise BackendError(
                f"The memory store {self.path} can not be used: {cause or error}. "
                "Records stay in the journal and are delivered when it works again."
            ) from error


def _execute(connection: sqlite3.Connection, statements: str) -> None:
    for statement in statements.split(";\n"):
        connection.execute(statement)


@contextmanager
def _transaction(
    connection: sqlite3.Connection, begin: str, path: Path | None = None
) -> Iterator[None]:
    with nullcontext() if path is None else waiting(path):
        connection.execute(begin)
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # the block raised, or the commit did
            connection.execute("ROLLBACK")
