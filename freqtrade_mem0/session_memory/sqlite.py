"""Session memory in a SQLite file, for several processes without a server."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.session_memory.store import TIMEOUT_S
from freqtrade_mem0.sqlite_files.own_file import OwnFile

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator
    from pathlib import Path

FILE_NAME = "session.sqlite"
_APPLICATION_ID = 0x4D305353  # "M0SS"
_SCHEMA = """
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS sessions (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    text TEXT NOT NULL,
    until_ms INTEGER NOT NULL,    -- epoch milliseconds
    PRIMARY KEY (owner, key)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_until ON sessions (until_ms);
"""


class _SessionFile(OwnFile):
    name = FILE_NAME
    application_id = _APPLICATION_ID
    schema = _SCHEMA
    timeout_s = TIMEOUT_S

    def refusal(self, why: str) -> BackendError:
        return BackendError(f"Session memory in {why}")


class SqliteStore:
    """Texts in a file of their own, so that no writer of the journal waits. See `SessionStore`.

    Every call first deletes what has ended, and overwrites it with zeros.

    Parameters
    ----------
    folder
        The memory's folder; made with the file at the first write.
    now
        Returns the time in epoch seconds; the processes of a machine share a clock.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._file = _SessionFile(folder)

    def put(self, owner: str, key: str, text: str, ttl_s: float) -> None:
        """Keep a text for a time."""
        with self._writing(create=True) as sqlite:
            sqlite.execute(
                "INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?)",
                [owner, key, text, self._ms(ttl_s)],
            )

    def get(self, owner: str, key: str, *, ttl_s: float | None = None) -> str | None:
        """Return a text, or None."""
        query, values = "SELECT text FROM sessions WHERE owner = ? AND key = ?", [owner, key]
        if ttl_s is not None:
            query = "UPDATE sessions SET until_ms = ? WHERE owner = ? AND key = ? RETURNING text"
            values = [self._ms(ttl_s), *values]  # type: ignore[list-item]
        with self._writing() as sqlite:
            rows = sqlite.execute(query, values).fetchall()
        return rows[0][0] if rows else None

    def items(self, owner: str) -> dict[str, str]:
        """Return all texts of an owner."""
        query = "SELECT key, text FROM sessions WHERE owner = ? ORDER BY key"
        with self._writing() as sqlite:
            return dict(sqlite.execute(query, [owner]).fetchall())

    def delete(self, owner: str, key: str) -> bool:
        """Delete a text."""
        return self._count("DELETE FROM sessions WHERE owner = ? AND key = ?", [owner, key]) > 0

    def clear(self, owner: str) -> int:
        """Delete all texts of an owner."""
        return self._count("DELETE FROM sessions WHERE owner = ?", [owner])

    def purge(self) -> int:
        """Delete what has ended."""
        return self._count("DELETE FROM sessions WHERE until_ms <= ?", [self._ms()], keep=True)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _count(self, query: str, values: list[Any], *, keep: bool = False) -> int:
        with self._writing(keep=keep) as sqlite:
            return sqlite.execute(query, values).rowcount

    def _ms(self, after_s: float = 0.0) -> int:
        return round((self._now() + after_s) * 1_000)

    @contextmanager
    def _writing(self, *, create: bool = False, keep: bool = False) -> Iterator[sqlite3.Connection]:
        """Open the file, in a transaction without what has ended; `keep` does not delete that."""
        is_old = "SELECT 1 FROM sessions WHERE until_ms <= ? LIMIT 1"
        with self._file.write(create=create) as sqlite:
            now = [self._ms()]
            if not keep and sqlite.execute(is_old, now).fetchone():
                sqlite.execute("DELETE FROM sessions WHERE until_ms <= ?", now)
            yield sqlite
