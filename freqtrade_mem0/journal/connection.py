"""One SQLite connection for one file and process: WAL, private to the user, safe over a fork."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.schema import migrate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PASSING = (errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EIO)
"""Troubles of the machine; all others mean that `mem0.path` is wrong."""

BUSY_TIMEOUT_S = 10.0
"""How long a statement waits for another process's write. Never spent in a trading callback."""


class Connection:
    """A guarded connection to the journal file.

    One thread at a time uses it. A forked child opens its own: SQLite connections must not be
    carried over a fork.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.RLock()
        self._pid = os.getpid()
        self._sqlite: sqlite3.Connection | None = None

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to this thread; SQLite's own errors become `JournalError`."""
        if os.getpid() != self._pid:
            # The parent's lock may have been held at the fork, and its handle must not be closed.
            self._lock, self._pid, self._sqlite = threading.RLock(), os.getpid(), None
        with self._lock:
            try:
                if self._sqlite is None:
                    self._sqlite = self._open()
                yield self._sqlite
            except sqlite3.Error as error:
                raise JournalError(
                    f"The journal {self.path} can not be used: {error}. Trading goes on with the "
                    "proposed stakes. Check the disk and 'freqtrade-mem0 doctor'."
                ) from error

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Like `read`, inside one transaction: all of it is stored, or nothing."""
        with self.read() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        if os.getpid() != self._pid:
            return
        with self._lock:
            if self._sqlite is not None:
                self._sqlite.close()
                self._sqlite = None

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # Created by us and not by SQLite, so that nobody else can read it for an instant.
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            sentence = f"The journal {self.path} can not be opened for writing: {error.strerror}. "
            if error.errno in _PASSING:
                raise JournalError(f"{sentence}Free some space and start again.") from error
            raise ConfigError(
                f"{sentence}Set 'mem0.path' to a folder this user may write to."
            ) from error
        connection = sqlite3.connect(
            self.path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            migrate(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection
