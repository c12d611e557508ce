"""Copies an SQLite file into one that another key encrypts, or none, and compares both."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, contextmanager
from itertools import zip_longest
from typing import TYPE_CHECKING

from freqtrade_mem0.sqlite_files import cipher
from freqtrade_mem0.sqlite_files.connecting import PATIENCE_S
from freqtrade_mem0.sqlite_files.space import pragma

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_KEPT = ("application_id", "user_version")
"""Numbers in a file's head that a copy of its tables lacks."""


def convert(source: Path, has: bytes | None, target: Path, wanted: bytes | None) -> None:
    """Copy a file that nobody uses; `sqlite3.Error` or `OSError` where that fails.

    Parameters
    ----------
    source
        The file, without a log beside it.
    has
        The key that encrypts it; None where it is plain.
    target
        A file that does not exist.
    wanted
        The key that will encrypt the copy; None for a plain one.
    """
    with closing(opened(source, has)) as sqlite:
        export(sqlite, target, wanted)


def opened(path: Path, data_key: bytes | None) -> sqlite3.Connection:
    """Connect by SQLCipher, which also reads plain files, and keep every other process out.

    Raises
    ------
    sqlite3.OperationalError
        Another process uses the file.
    """
    sqlite = cipher.connect(
        str(path), data_key, timeout=PATIENCE_S / 10, isolation_level=None, check_same_thread=False
    )
    try:
        sqlite.execute("PRAGMA locking_mode = EXCLUSIVE")
        sqlite.execute("PRAGMA journal_mode = DELETE")
        sqlite.execute("BEGIN EXCLUSIVE")
        sqlite.execute("COMMIT")  # in this mode the lock stays until the connection is closed
    except BaseException:
        sqlite.close()
        raise
    return sqlite


def export(sqlite: sqlite3.Connection, target: Path, wanted: bytes | None) -> None:
    """Copy what a connection from `opened` has into a new file, and compare each row."""
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with _attached(sqlite, target, wanted):
        sqlite.execute(f"PRAGMA copy.auto_vacuum = {pragma(sqlite, 'auto_vacuum')}")
        sqlite.execute("SELECT sqlcipher_export('copy')").fetchall()
        for name in _KEPT:
            sqlite.execute(f"PRAGMA copy.{name} = {pragma(sqlite, name)}")
    with _attached(sqlite, target, wanted):  # once more, as it is read by everybody
        _compare(sqlite, target)
    with target.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _attached(sqlite: sqlite3.Connection, path: Path, data_key: bytes | None) -> Iterator[None]:
    sqlite.execute("ATTACH DATABASE ? AS copy KEY ?", [str(path), cipher.written(data_key)])
    try:
        yield
    finally:
        sqlite.execute("DETACH DATABASE copy")


def _compare(sqlite: sqlite3.Connection, target: Path) -> None:
    names = [
        [name for (name,) in sqlite.execute(f"SELECT name FROM {each}.sqlite_master ORDER BY name")]  # noqa: S608
        for each in ("main", "copy")
    ]
    tables = "SELECT name FROM main.sqlite_master WHERE type = 'table'"
    words = sqlite.execute("PRAGMA copy.integrity_check").fetchall()
    is_same = names[0] == names[1] and words == [("ok",)]
    for (table,) in sqlite.execute(tables).fetchall() if is_same else ():
        both = (sqlite.execute(f'SELECT * FROM {each}."{table}"') for each in ("main", "copy"))  # noqa: S608
        is_same = is_same and all(one == other for one, other in zip_longest(*both))
    if not is_same:
        raise sqlite3.DatabaseError(f"{target.name} was not copied as it is: {words[0][0]}")
