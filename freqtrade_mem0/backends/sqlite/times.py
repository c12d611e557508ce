"""When rows were stored, in a table with an index: what is new is read, and nothing else.

Without it, asking for what came since a moment reads the payload of every memory. A trigger of the
file deletes the time of a row with the row.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.filters import as_microseconds
from freqtrade_mem0.backends.vector_rows import EPOCH, decode_payload

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from datetime import datetime


_ALWAYS_US = 2**62  # for what is no single time: such rows are looked at each time


def are_noted(connection: sqlite3.Connection) -> bool:
    """Tell whether the file has the table; a read-only one of an earlier format has not."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version >= 4)  # noqa: PLR2004 - see `file.FORMAT_VERSION`


def note(connection: sqlite3.Connection, payloads: Iterable[tuple[int, str | bytes]]) -> None:
    """Note when rows, given by seq and stored payload, say that they were stored."""
    times = ((seq, _stored_us(decode_payload(payload))) for seq, payload in payloads)
    connection.executemany(
        "INSERT INTO times (seq, stored_us) VALUES (?, ?)",
        (each for each in times if each[1] is not None),
    )


def note_all(connection: sqlite3.Connection) -> None:
    """Note the times of all rows, in a file of an earlier format."""
    note(connection, connection.execute("SELECT seq, payload FROM memories"))


def keys_since(
    connection: sqlite3.Connection, collection: int | None, since: datetime
) -> list[tuple[int, str]]:
    """Return the keys of rows that were stored since, by `(created_at, id)`; see `_ALWAYS_US`."""
    found = connection.execute(
        "SELECT m.seq, m.id FROM times AS t CROSS JOIN memories AS m ON m.seq = t.seq"
        " WHERE t.stored_us >= ? AND m.collection = ? ORDER BY m.created_us, m.id",
        ((since - EPOCH) // timedelta(microseconds=1), collection),
    )
    return found.fetchall()


def _stored_us(payload: Mapping[str, object]) -> int | None:
    at = payload.get("updated_at")
    if isinstance(at, list):
        return _ALWAYS_US
    stored_us = as_microseconds(at)
    return None if stored_us is None else int(stored_us)
