"""Brings archived records back into the table of records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.records.codec import hash_of
from freqtrade_mem0.records.kinds import record_types

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable


def revive(sqlite: sqlite3.Connection, seqs: Iterable[int]) -> None:
    """Write the rows of archived records again, in the caller's transaction.

    A row whose body is gone stays in the archive: its evidence is all there is.
    """
    for seq in seqs:
        row = sqlite.execute(
            "SELECT e.id, body_of(e.seq, ''), e.is_current, s.kind, s.category, s.user_id,"
            " s.strategy, s.mode, s.run_id, w.word, e.known_ms, e.recorded_ms"
            " FROM evidence AS e JOIN scopes AS s ON s.number = e.scope"
            " JOIN words AS w ON w.number = e.pair WHERE e.seq = ? AND e.is_archived = 1",
            [seq],
        ).fetchone()
        if row is None or not row[1]:
            continue
        stored, body, is_current, kind, *columns = row
        said = hash_of(body, record_types()[kind].added_later)
        sqlite.execute(
            "INSERT INTO records (seq, id, content_hash, is_current, kind, category, user_id,"
            " strategy, mode, run_id, pair, known_ms, recorded_ms, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [seq, id_of(stored), said, is_current, kind, *columns, body],
        )
        sqlite.execute("UPDATE evidence SET is_archived = 0 WHERE seq = ?", [seq])
