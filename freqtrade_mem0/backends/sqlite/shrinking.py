"""Makes a store file smaller after deletions, and takes what was deleted out of it.

SQLite leaves free pages in the file, and its full-text index leaves deleted words in its segments
until they are merged. Both are mended in small transactions, so that others can write in between.
"""

from __future__ import annotations

import shutil
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from freqtrade_mem0.backends.sqlite.file import SqliteFile

_PAGES_PER_MERGE = 64
_PAGES_PER_VACUUM = 200
_REWRITTEN_BYTES = 16_000_000
"""Up to this size a file is rewritten as a whole, a tenth smaller than bit by bit."""

_COPIES = 2.5
"""Free disk space that a `VACUUM` needs, as a multiple of the file's size."""
_INCREMENTAL = 2
"""SQLite's number for `auto_vacuum = INCREMENTAL`: such a file can shrink bit by bit."""


def shrink(file: SqliteFile, pause: Callable[[float], None]) -> int:
    """Shrink a store file; return how many bytes it gave back to the disk."""
    before = _size(file)
    _merge_words(file, pause)
    with file.reading() as connection:
        can_shrink = _pragma(connection, "auto_vacuum") == _INCREMENTAL
        n_free = _pragma(connection, "freelist_count")
    if can_shrink and file.path.stat().st_size > _REWRITTEN_BYTES:
        for _start in range(0, n_free, _PAGES_PER_VACUUM):
            with _briefly(file, pause) as connection:
                for _ in range(_PAGES_PER_VACUUM):
                    # Of more pages than one Python's sqlite3 would give back the first only.
                    connection.execute("PRAGMA incremental_vacuum(1)")
    elif shutil.disk_usage(file.path.parent).free > _COPIES * file.path.stat().st_size:
        # Rewriting a small file takes a fraction of a second, and fills its pages. A large one that
        # an earlier version made is rewritten once; after that it can shrink bit by bit.
        file.execute("PRAGMA auto_vacuum = INCREMENTAL", "VACUUM")
    file.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return max(before - _size(file), 0)


def _merge_words(file: SqliteFile, pause: Callable[[float], None]) -> None:
    """Merge the segments of the full-text index into one; deleted words go with that."""
    n_pages = -_PAGES_PER_MERGE  # negative: all segments, not only the small ones
    while True:
        with _briefly(file, pause) as connection:
            changes = connection.total_changes
            connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", [n_pages])
            is_done = connection.total_changes - changes < 2  # noqa: PLR2004 - as SQLite says
        if is_done:
            return
        n_pages = _PAGES_PER_MERGE


@contextmanager
def _briefly(file: SqliteFile, pause: Callable[[float], None]) -> Iterator[sqlite3.Connection]:
    """Give the writing connection for one short transaction, then pause as long as it took."""
    began_s = time.perf_counter()
    with file.writing() as connection:
        yield connection
    pause(time.perf_counter() - began_s)


def _size(file: SqliteFile) -> int:
    files = (file.path.with_name(file.path.name + suffix) for suffix in ("", "-wal"))
    return sum(each.stat().st_size for each in files if each.exists())


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    value: int = connection.execute(f"PRAGMA {name}").fetchone()[0]
    return value
