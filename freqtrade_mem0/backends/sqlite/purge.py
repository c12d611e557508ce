"""Deletes memories from a store file without Mem0, and leaves no word of them in its index."""

from __future__ import annotations

import json
import time
from contextlib import closing
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.sqlite.file import SqliteFile
from freqtrade_mem0.backends.sqlite.shrinking import merge_words
from freqtrade_mem0.backends.vector_rows import decode_payload
from freqtrade_mem0.sqlite_files.turns import give_way

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from pathlib import Path

_ROWS_PER_WRITE = 50


def purge(path: Path, chosen: Callable[[str, Mapping[str, Any]], bool]) -> int:
    """Delete chosen memories of all collections, also of Mem0's entities; return how many.

    Parameters
    ----------
    path
        A store file. Other processes may write to it meanwhile.
    chosen
        Says of owners (JSON) and payload whether a memory goes.

    Raises
    ------
    BackendError
        The file can not be used.
    """
    with closing(SqliteFile(path)) as file:
        with file.reading() as sqlite:
            gone = [
                (seq,)
                for seq, owners, payload in sqlite.execute(
                    "SELECT seq, owners, payload FROM memories JOIN scopes USING (scope)"
                )
                if chosen(owners, decode_payload(payload))
            ]
        for start in range(0, len(gone), _ROWS_PER_WRITE):
            part = gone[start : start + _ROWS_PER_WRITE]
            began_s = time.perf_counter()
            with file.writing() as sqlite:
                sqlite.executemany("DELETE FROM words WHERE rowid = ?", part)
                sqlite.executemany("DELETE FROM memories WHERE seq = ?", part)
                sqlite.executemany("INSERT INTO tombstones (seq) VALUES (?)", part)
            give_way(path, time.sleep, time.perf_counter() - began_s)
        with file.writing() as sqlite:
            _rename_unused(sqlite, chosen)
        merge_words(file, time.sleep)  # deleted words stay in the index until then
    return len(gone)


def _rename_unused(
    sqlite: sqlite3.Connection, chosen: Callable[[str, Mapping[str, Any]], bool]
) -> None:
    """Take the names out of scopes without memories. Their numbers stay: caches know them."""
    unused = sqlite.execute(
        "SELECT scope, owners FROM scopes WHERE scope NOT IN (SELECT scope FROM memories)"
    ).fetchall()
    sqlite.executemany(
        "UPDATE scopes SET owners = ? WHERE scope = ?",
        [
            (json.dumps([None, None, None, number]), number)
            for number, owners in unused
            if chosen(owners, {})
        ],
    )
