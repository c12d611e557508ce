"""Deletes memories from a store file without Mem0, and leaves no word of them in it."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.sqlite_files.opening import connect

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping
    from pathlib import Path

_TIMEOUT_S = 30.0


def purge(path: Path, chosen: Callable[[str, Mapping[str, Any]], bool]) -> int:
    """Delete chosen memories of all collections, also of Mem0's entities; return how many.

    Parameters
    ----------
    path
        A store file. Other processes may use it.
    chosen
        Says of owners (JSON) and payload whether a memory goes.

    Raises
    ------
    sqlite3.Error
        The file can not be used.
    """
    with closing(connect(path, _TIMEOUT_S)) as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        sqlite.execute("BEGIN IMMEDIATE")
        gone = [
            (seq,)
            for seq, owners, payload in sqlite.execute(
                "SELECT seq, owners, payload FROM memories JOIN scopes USING (scope)"
            )
            if chosen(owners, json.loads(payload))
        ]
        sqlite.executemany("DELETE FROM words WHERE rowid = ?", gone)
        sqlite.executemany("DELETE FROM memories WHERE seq = ?", gone)
        sqlite.executemany("INSERT INTO tombstones (seq) VALUES (?)", gone)
        _rename_unused(sqlite, chosen)
        # Deleted words stay in the index until its parts are merged.
        sqlite.execute("INSERT INTO words (words) VALUES ('optimize')")
        sqlite.execute("COMMIT")
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
