"""Makes a store file smaller after deletions, and takes what was deleted out of it.

SQLite leaves free pages in the file, and its full-text index leaves deleted words in its segments
until they are merged. Both are mended in small transactions, so that others can write in between.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from freqtrade_mem0.sqlite_files.space import give_back, size
from freqtrade_mem0.sqlite_files.turns import give_way

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.backends.sqlite.file import SqliteFile

_PAGES_PER_MERGE = 64


def shrink(file: SqliteFile, pause: Callable[[float], None], *, alone: bool) -> int:
    """Shrink a store file; return how many bytes it gave back to the disk."""
    before = size(file.path)
    merge_words(file, pause)
    give_back(file.path, file.outside, alone=alone, pause=pause)
    return max(before - size(file.path), 0)


def merge_words(file: SqliteFile, pause: Callable[[float], None]) -> None:
    """Merge the segments of the full-text index into one; deleted words go with that."""
    n_pages = -_PAGES_PER_MERGE  # negative: all segments, not only the small ones
    while True:
        began_s = time.perf_counter()
        with file.writing() as connection:
            changes = connection.total_changes
            connection.execute("INSERT INTO words (words, rank) VALUES ('merge', ?)", [n_pages])
            is_done = connection.total_changes - changes < 2  # noqa: PLR2004 - as SQLite says
        give_way(file.path, pause, time.perf_counter() - began_s)
        if is_done:
            return
        n_pages = _PAGES_PER_MERGE
