"""The one place that connects to SQLite files of ours, plain or encrypted as their folder is."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.sqlite_files import cipher

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 30.0
"""How long work that nobody waits for waits for another process's write."""


class _Connection(sqlite3.Connection):
    """One that something may refer to weakly, which sqlite3's own class does not allow."""


def connect(path: Path, timeout_s: float = PATIENCE_S, *, access: str = "") -> sqlite3.Connection:
    """Connect without implicit transactions; the caller's locks guard the connection.

    Parameters
    ----------
    path
        The file; SQLite makes a missing one.
    timeout_s
        How long a statement waits for another process's write.
    access
        A parameter of SQLite's file names, such as `mode=ro`.

    Raises
    ------
    ConfigError
        The memory is encrypted, and this process has no key for it.
    """
    return connect_with(KEYRING.data_key(path), path, timeout_s, access=access)


def connect_with(
    data_key: bytes | None, path: Path, timeout_s: float = PATIENCE_S, *, access: str = ""
) -> sqlite3.Connection:
    """Connect as `connect` does to a file whose key is known; None: it is plain."""
    where = f"{path.resolve().as_uri()}?{access}" if access else str(path)
    opening = (
        partial(sqlite3.connect, factory=_Connection)
        if data_key is None
        else partial(cipher.connect, data_key=data_key)
    )
    return opening(
        where, timeout=timeout_s, isolation_level=None, check_same_thread=False, uri=bool(access)
    )


def in_memory() -> sqlite3.Connection:
    """Connect to an empty database that is no file."""
    return sqlite3.connect(":memory:", isolation_level=None, factory=_Connection)


@contextmanager
def transaction(sqlite: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Commit what the block writes, or nothing of it."""
    sqlite.execute("BEGIN IMMEDIATE")
    try:
        yield sqlite
        sqlite.execute("COMMIT")
    finally:
        if sqlite.in_transaction:  # SQLite rolls some failures back by itself, such as a full disk
            sqlite.execute("ROLLBACK")


@contextmanager
def deleting(path: Path) -> Iterator[sqlite3.Connection]:
    """Connect to a file and change it in one transaction; zeros overwrite what is deleted."""
    with closing(connect(path)) as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        with transaction(sqlite):
            yield sqlite
