"""Marks: the progress of work that several processes share, such as delivery and sync."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from freqtrade_mem0.journal.journal import Journal


def read_mark(sqlite: sqlite3.Connection, name: str) -> dict[str, Any]:
    """Return a mark; empty if it was never set, or can not be read."""
    row = sqlite.execute("SELECT value FROM marks WHERE name = ?", [name]).fetchone()
    try:
        value = {} if row is None else json.loads(row[0])
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def write_mark(sqlite: sqlite3.Connection, name: str, value: dict[str, Any]) -> None:
    """Set a mark, inside the caller's transaction."""
    sqlite.execute(
        "INSERT INTO marks (name, value) VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        [name, json.dumps(value)],
    )


class Marks:
    """The marks of one journal.

    Every method raises `JournalError` if the file can not be used.
    """

    def __init__(self, journal: Journal) -> None:
        self._connection = journal.connection

    def get(self, name: str) -> dict[str, Any]:
        """Return a mark; empty if it was never set."""
        with self._connection.read() as sqlite:
            return read_mark(sqlite, name)

    def all(self, prefix: str) -> dict[str, dict[str, Any]]:
        """Return the marks whose names begin with a prefix, by the rest of the name."""
        with self._connection.read() as sqlite:
            names = sqlite.execute(
                "SELECT name FROM marks WHERE substr(name, 1, ?) = ? ORDER BY name",
                [len(prefix), prefix],
            ).fetchall()
            return {name.removeprefix(prefix): read_mark(sqlite, name) for (name,) in names}

    def change(
        self, name: str, changed: Callable[[dict[str, Any]], dict[str, Any]]
    ) -> dict[str, Any]:
        """Set a mark to what a function makes of it, before any other process; return that."""
        with self._connection.write() as sqlite:
            value = changed(read_mark(sqlite, name))
            write_mark(sqlite, name, value)
            return value

    def set(self, name: str, value: dict[str, Any]) -> None:
        """Set a mark."""
        with self._connection.write() as sqlite:
            write_mark(sqlite, name, value)
