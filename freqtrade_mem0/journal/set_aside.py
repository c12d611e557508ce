"""Records that came from outside and can not be taken: kept with the reason, for people to look at.

They are kept, not repeated: one row for each record, the newest `MOST` of them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import from_ms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

MOST = 1_000

_LONGEST = 500
"""Characters of an id or a reason that are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """A record that was not taken.

    Parameters
    ----------
    source
        Where it came from: "Mem0", "journal" or "import".
    id
        Of the record or memory.
    why
        Which rule it breaks.
    since
        Aware UTC time at which that was noticed.
    """

    source: str
    id: str
    why: str
    since: datetime


def put_aside(sqlite: sqlite3.Connection, source: str, record_id: str, why: str) -> None:
    """Note a record that was not taken, inside the caller's transaction."""
    texts = [_storable(text) for text in (source, record_id, why)]
    sqlite.execute(
        "INSERT INTO set_aside (source, id, why, since_ms) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (source, id) DO UPDATE SET why = excluded.why",
        [*texts, time.time_ns() // 1_000_000],
    )
    sqlite.execute(
        "DELETE FROM set_aside WHERE (source, id) IN (SELECT source, id FROM set_aside"
        " ORDER BY since_ms DESC, source, id LIMIT -1 OFFSET ?)",
        [MOST],
    )


def take_back(sqlite: sqlite3.Connection, source: str, ids: Iterable[str]) -> None:
    """Forget that records were not taken: they are now. Inside the caller's transaction."""
    sqlite.executemany(
        "DELETE FROM set_aside WHERE source = ? AND id = ?",
        [(_storable(source), _storable(record_id)) for record_id in ids],
    )


def all_set_aside(sqlite: sqlite3.Connection) -> list[SetAside]:
    """Return what was set aside, newest first."""
    rows = sqlite.execute(
        "SELECT source, id, why, since_ms FROM set_aside ORDER BY since_ms DESC, source, id"
    )
    return [
        SetAside(source=source, id=record_id, why=why, since=from_ms(since_ms))
        for source, record_id, why, since_ms in rows
    ]


def _storable(text: str) -> str:
    """Return a text as SQLite takes it, not too long."""
    shown = text.encode("utf-8", "backslashreplace").decode()
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 3]}..."
