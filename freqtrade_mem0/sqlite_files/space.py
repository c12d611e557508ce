"""Gives free pages of an SQLite file back to the disk: by writing it anew, or bit by bit."""

from __future__ import annotations

import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

from freqtrade_mem0.sqlite_files.turns import give_way

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

_PAGES_AT_ONCE = 250
_QUICK_BYTES = 16_000_000
"""So much is written anew in a fraction of a second, also beside others: pages are full again."""

_MOSTLY = 0.25
"""A larger file with more free pages is written anew where no other process uses it."""

_COPIES = 2.5
"""Free disk space that a `VACUUM` needs, as a multiple of what is in use."""

_READER_MS = 100
"""How long readers are waited for before the log is emptied; writers wait meanwhile."""

_INCREMENTAL = 2
"""SQLite's number for `auto_vacuum = INCREMENTAL`: such a file can shrink bit by bit."""


def give_back(
    path: Path,
    outside: Callable[[], AbstractContextManager[sqlite3.Connection]],
    *,
    alone: bool,
    pause: Callable[[float], None],
    has_to_stop: Callable[[], bool] = lambda: False,
) -> None:
    """Give the free pages of a file back to the disk, and empty its log.

    Parameters
    ----------
    path
        The file.
    outside
        Gives a connection outside of any transaction.
    alone
        Whether no other process uses the file.
    pause, has_to_stop
        Waits for some seconds, so that others can write; whether to end soon.
    """
    with outside() as sqlite:
        n_free, n_pages = pragma(sqlite, "freelist_count"), pragma(sqlite, "page_count")
        n_bytes = (n_pages - n_free) * pragma(sqlite, "page_size")
        bit_by_bit = can_shrink(sqlite)
    is_mostly_free = n_free > _MOSTLY * n_pages
    anew = n_bytes <= _QUICK_BYTES or (alone and (is_mostly_free or not bit_by_bit))
    has_room = shutil.disk_usage(path.parent).free > _COPIES * n_bytes
    if not (anew and has_room and _written_anew(outside)) and bit_by_bit:
        for _ in range(0, n_free, _PAGES_AT_ONCE):
            if has_to_stop():
                break
            began_s = time.perf_counter()
            with outside() as sqlite:
                # `execute` would give back the first of these pages only.
                sqlite.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
            give_way(path, pause, time.perf_counter() - began_s)
    _empty_log(outside)


def can_shrink(sqlite: sqlite3.Connection) -> bool:
    """Return whether a file can shrink bit by bit; earlier versions made others."""
    return pragma(sqlite, "auto_vacuum") == _INCREMENTAL


def size(path: Path) -> int:
    """Return the bytes of a file and its log."""
    files = (path.with_name(path.name + suffix) for suffix in ("", "-wal"))
    return sum(file.stat().st_size for file in files if file.exists())


def pragma(sqlite: sqlite3.Connection, name: str) -> int:
    """Return the value of a pragma that is a number."""
    return int(sqlite.execute(f"PRAGMA {name}").fetchone()[0])  # SQLCipher gives a text for some


def _empty_log(outside: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> None:
    """Empty the log; where a reader needs it for longer, it stays as long as it is."""
    with outside() as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()  # nobody waits for this part
        timeout_ms = pragma(sqlite, "busy_timeout")
        sqlite.execute(f"PRAGMA busy_timeout = {_READER_MS}")
        try:
            sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            sqlite.execute(f"PRAGMA busy_timeout = {timeout_ms}")


def _written_anew(outside: Callable[[], AbstractContextManager[sqlite3.Connection]]) -> bool:
    with outside() as sqlite:
        try:
            sqlite.execute("PRAGMA auto_vacuum = INCREMENTAL")
            sqlite.execute("VACUUM")
        except sqlite3.OperationalError:
            return False  # another process uses it, or the disk is full
    return True
