"""SQLite connections to one file in one process: WAL, private to the user, safe over a fork."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.encryption.envelope import FILE_NAME as ENVELOPE
from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.schema import migrate, refuse_foreign, refuse_old
from freqtrade_mem0.journal.stored_bodies import offer_bodies
from freqtrade_mem0.sqlite_files.opening import (
    create_privately,
    explain,
    is_writable,
    lacks_envelope,
    open_read_only,
    open_shared,
)
from freqtrade_mem0.sqlite_files.turns import waiting

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_PASSING = (
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EMFILE,
    errno.ENFILE,
    errno.EIO,
    errno.EROFS,
)
"""Errors of the machine that pass; all others mean that `mem0.path` is wrong."""

BUSY_TIMEOUT_S = 10.0
"""How long a statement waits for another process's write. No trading callback waits that long."""


_LEFT_TO_THE_PARENT: list[object] = []
"""Kept alive in a forked child: collecting a connection would close it."""


class _Handle:
    """A connection, opened at first use, and the lock that one thread at a time holds on it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.sqlite: sqlite3.Connection | None = None
        self.file: int | None = None
        """The file that is open, see `_identity`."""


class Connection:
    """Guarded connections to the journal file: one for reading, one for writing.

    There are two because a writer may wait for another process, and a bot's loop, which only
    reads, must not wait with it. One thread at a time uses each. A forked child opens its own,
    as SQLite connections must not be carried over a fork.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_patient = True
        """Whether a commit waits for the disk; to be set before the first write. If it does not, a
        power cut may take the last commits. The file stays sound in either case."""
        self.n_replaced = 0
        """How often the file was found to be deleted or replaced."""
        self.n_opened = 0
        """How often the file was opened for reading; each time it may be another one."""
        self._start_afresh()

    def open(self) -> None:
        """Open the file; create it if it is missing, and refuse one that can only be read."""
        self._create()
        with self.read():
            pass

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the reading connection to this thread; SQLite's errors become `JournalError`."""
        self._leave_to_the_parent()
        with self._given(self._reader) as connection:
            yield connection

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a query."""
        with self.read() as sqlite:
            return sqlite.execute(query, values).fetchall()

    def row(self, query: str, values: Sequence[object] = ()) -> Any:
        """Return the first row of a query; None if there is none."""
        with self.read() as sqlite:
            return sqlite.execute(query, values).fetchone()

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Give the writing connection inside one transaction: all of it is stored, or nothing."""
        self._leave_to_the_parent()
        with self._given(self._writer) as connection:
            with waiting(self.path):
                connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite rolls some failures back by itself, such as a full disk.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        if os.getpid() != self._pid:
            return
        for handle in (self._reader, self._writer):
            with handle.lock:
                if handle.sqlite is not None:
                    handle.sqlite.close()
                    handle.sqlite = None

    @contextmanager
    def _given(self, handle: _Handle) -> Iterator[sqlite3.Connection]:
        with handle.lock:
            try:
                if handle.sqlite is not None and handle.file != _identity(self.path):
                    # The file was deleted or replaced: writes to the old one would be lost.
                    handle.sqlite.close()
                    handle.sqlite = None
                    self.n_replaced += 1
                if handle.sqlite is None:
                    is_reader = handle is self._reader
                    self.n_opened += is_reader
                    handle.sqlite = self._open(is_reader=is_reader)
                    handle.file = _identity(self.path)
                yield handle.sqlite
            except sqlite3.Error as error:
                cause = explain(error, self.path)
                advice = (
                    "Free some space and try again."
                    if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL"
                    else "Check the disk; if the file itself is damaged, stop what uses it and run "
                    "'freqtrade-mem0 salvage': it saves what can still be read."
                )
                if lacks_envelope(error, self.path):
                    advice += f" If it is encrypted, {ENVELOPE} is missing beside it."
                raise JournalError(
                    f"The journal {self.path} can not be used: {cause or error}."
                    f"{'' if cause else f' {advice}'}"
                ) from error

    def _leave_to_the_parent(self) -> None:
        """In a forked child, forget the parent's handles: no lock may be taken, none be closed."""
        if os.getpid() != self._pid:
            _LEFT_TO_THE_PARENT.append((self._reader, self._writer))
            self._start_afresh()

    def _start_afresh(self) -> None:
        self._reader, self._writer = _Handle(), _Handle()
        self._pid = os.getpid()

    def _create(self) -> None:
        try:
            create_privately(self.path)
        except OSError as error:
            sentence = f"The journal {self.path} can not be opened for writing: {error.strerror}. "
            if error.errno in _PASSING:
                raise JournalError(
                    f"{sentence}Mend the disk, or free some space, and start again."
                ) from error
            raise ConfigError(
                f"{sentence}Set 'mem0.path' to a folder this user may write to."
            ) from error

    def _open(self, *, is_reader: bool) -> sqlite3.Connection:
        is_readable = self.path.is_file() and os.access(self.path, os.R_OK)
        if is_reader and is_readable and not is_writable(self.path):
            return self._open_read_only()
        self._create()
        connection = open_shared(
            self.path,
            BUSY_TIMEOUT_S,
            refuse=partial(refuse_foreign, path=self.path),
            # So that `compact` can give space back bit by bit.
            new_file_pragma="PRAGMA auto_vacuum = INCREMENTAL",
        )
        try:
            connection.execute(f"PRAGMA synchronous = {'FULL' if self.is_patient else 'NORMAL'}")
            connection.execute("PRAGMA foreign_keys = ON")
            offer_bodies(connection)
            migrate(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection

    def _open_read_only(self) -> sqlite3.Connection:
        connection = open_read_only(self.path, BUSY_TIMEOUT_S)
        offer_bodies(connection)
        try:
            refuse_foreign(connection, self.path)
            refuse_old(connection, self.path)
        except BaseException:
            connection.close()
            raise
        return connection


def _identity(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except OSError:
        return None
