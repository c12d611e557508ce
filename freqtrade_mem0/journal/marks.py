"""Marks: the progress of work that several processes share, such as delivery and sync."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlite3

    from freqtrade_mem0.journal.journal import Journal


def read_mark(sqlite: sqlite3.Connection, name: str) -> dict[str, Any]:
    """Return a mark; empty if it was never set, or can not be read."""
    row = sqlite.execute("SELECT value FROM marks WHERE name = ?", [name]).fetchone()
    try:
        value = {} if row is None else json.loads(row[0])
    except ValueError:
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

    def set(self, name: str, value: dict[str, Any]) -> None:
        """Set a mark."""
        with self._connection.write() as sqlite:
            write_mark(sqlite, name, value)
