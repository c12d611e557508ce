"""Makes evidence anew from the bodies of records: in a migration, and in a salvaged journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.rows import INSERT_EVIDENCE, evidence_row, unreadable_row
from freqtrade_mem0.journal.evidence.words import Words
from freqtrade_mem0.journal.rows import record_row
from freqtrade_mem0.journal.verify import checked_record
from freqtrade_mem0.records.codec import encode_decoded

if TYPE_CHECKING:
    import sqlite3

_ROWS_AT_ONCE = 5_000


def fill_evidence(sqlite: sqlite3.Connection) -> None:
    """Write the evidence of all records that have none, in the caller's transaction."""
    words, seq = Words(sqlite), 0
    while rows := sqlite.execute(
        "SELECT seq, body_of(seq, body), is_current, id, content_hash, user_id, strategy, mode,"
        " run_id, kind, category, pair, known_ms, recorded_ms FROM records WHERE seq > ?"
        " AND NOT EXISTS (SELECT 1 FROM evidence WHERE evidence.seq = records.seq)"
        " ORDER BY seq LIMIT ?",
        [seq, _ROWS_AT_ONCE],
    ).fetchall():
        found = []
        for seq, body, is_current, *columns in rows:
            record_id, said, kind = columns[0], columns[1], columns[6]
            try:
                record = checked_record(record_id, kind, body, said)
                row = evidence_row(words, seq, record, record_row(record, encode_decoded(record)))
            except RecordError:
                row = unreadable_row(words, seq, columns)
            found.append((*row, is_current))
        sqlite.executemany(INSERT_EVIDENCE, found)
