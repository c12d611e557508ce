"""The service's own file in the memory's folder: keys, signing secrets and jobs.

It is no part of the journal, so that no bot waits for it, and no part of a backup, so that a
restore does not bring a revoked key back.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.sqlite_files.opening import create_privately, explain, make_folder, open_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

FILE_NAME = "service.sqlite"
_APPLICATION_ID = 0x4D305356  # "M0SV"
_TIMEOUT_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS keys (
    id TEXT PRIMARY KEY,
    hash BLOB NOT NULL,           -- SHA-256 of the secret
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    user_id TEXT,                 -- what it is bound to; NULL: not bound
    strategy TEXT,
    bot_id TEXT,
    made_ms INTEGER NOT NULL,     -- all times are epoch milliseconds
    expires_ms INTEGER,
    used_ms INTEGER,
    revoked_ms INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS signing (
    kid TEXT PRIMARY KEY,
    secret BLOB NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    params TEXT NOT NULL,
    state TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_ms INTEGER NOT NULL,
    began_ms INTEGER,
    ended_ms INTEGER,
    pid INTEGER,
    result TEXT,
    error TEXT NOT NULL DEFAULT ''
) STRICT;
"""


class ServiceFile:
    """The file, opened at first use; threads and processes may share it.

    Parameters
    ----------
    folder
        The memory's folder.
    now
        Returns the time in epoch seconds.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self.path = folder / FILE_NAME
        self._now = now
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def now_ms(self) -> int:
        """Return the time in epoch milliseconds."""
        return round(self._now() * 1_000)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self._used() as sqlite:
            return sqlite.execute(query, values).fetchall()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction."""
        with self._used() as sqlite:
            sqlite.execute("BEGIN IMMEDIATE")
            try:
                yield sqlite
                sqlite.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    sqlite.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    @contextmanager
    def _used(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._opened is None:
                    self._opened = self._open()
                yield self._opened
            except (OSError, sqlite3.Error) as error:
                why = isinstance(error, sqlite3.Error) and explain(error, self.path)
                raise ConfigError(f"{self.path} can not be used: {why or error}.") from error

    def _open(self) -> sqlite3.Connection:
        make_folder(self.path.parent)
        create_privately(self.path)
        opened = open_shared(
            self.path,
            _TIMEOUT_S,
            refuse=self._refuse,
            new_file_pragma=f"PRAGMA application_id = {_APPLICATION_ID}",
        )
        opened.execute("PRAGMA secure_delete = ON")
        opened.executescript(_SCHEMA)
        return opened

    def _refuse(self, sqlite: sqlite3.Connection) -> None:
        (found,) = sqlite.execute("PRAGMA application_id").fetchone()
        if self.path.stat().st_size and found != _APPLICATION_ID:
            raise ConfigError(f"{self.path} is no file of this service; move it away.")
