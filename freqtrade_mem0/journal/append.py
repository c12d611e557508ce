"""What can be appended to the journal, and how each kind of entry is written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import Record, to_ms
from freqtrade_mem0.records.codec import content_hash, encode
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.note import category_of
from freqtrade_mem0.records.retraction import Retraction

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A decision became a trade: its first entry order was filled.

    Parameters
    ----------
    decision_id, trade_id
        The two that belong together.
    open_date
        Aware UTC open date of the trade.
    """

    decision_id: str
    trade_id: str
    open_date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIn:
    """A trade stands in one of Freqtrade's databases, so it can be missed there later.

    Parameters
    ----------
    record_id
        The trade's record.
    database
        Identity of the database, see `host.database_identity`.
    """

    record_id: str
    database: str


Entry = Record | Decision | Opened | SeenIn
"""What can be appended."""


def append_entry(sqlite: sqlite3.Connection, entry: Entry) -> int:
    """Write one entry inside the caller's transaction; return 1 for a new or corrected record."""
    if isinstance(entry, Record):
        return _append_record(sqlite, entry)
    if isinstance(entry, Decision):
        _append_decision(sqlite, entry)
    elif isinstance(entry, Opened):
        _mark_opened(sqlite, entry)
    else:
        _mark_seen(sqlite, entry)
    return 0


def _append_record(sqlite: sqlite3.Connection, record: Record) -> int:
    said = content_hash(record)
    current = sqlite.execute(
        "SELECT content_hash FROM records WHERE id = ? AND is_current = 1", [record.id]
    ).fetchone()
    if current is not None:
        if current[0] == said and not _takes_back_again(sqlite, record):
            return 0
        _supersede(sqlite, record.id)
    origin = record.origin
    cursor = sqlite.execute(
        "INSERT INTO records (id, content_hash, is_current, kind, category, user_id, strategy,"
        " mode, run_id, pair, known_ms, recorded_ms, body)"
        " VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            record.id,
            said,
            record.kind,
            category_of(record),
            origin.user_id,
            origin.strategy,
            origin.mode,
            origin.run_id,
            getattr(record, "pair", ""),
            to_ms(record.known_at),
            to_ms(record.recorded_at),
            encode(record),
        ],
    )
    sqlite.execute("INSERT INTO outbox (seq) VALUES (?)", [cursor.lastrowid])
    if isinstance(record, Retraction):
        _supersede(sqlite, record.target_id)
    return 1


def _takes_back_again(sqlite: sqlite3.Connection, record: Record) -> bool:
    """Tell whether what a retraction takes back has come back since it was noted."""
    if not isinstance(record, Retraction):
        return False
    query = "SELECT 1 FROM records WHERE id = ? AND is_current = 1"
    return sqlite.execute(query, [record.target_id]).fetchone() is not None


def _supersede(sqlite: sqlite3.Connection, record_id: str) -> None:
    """Let what was said under an id count no more; it stays in the file."""
    current = "id = ? AND is_current = 1"  # as the index is
    # What comes in its stead is delivered; sending both could end with the wrong one.
    sqlite.execute(
        f"DELETE FROM outbox WHERE seq IN (SELECT seq FROM records WHERE {current})",  # noqa: S608
        [record_id],
    )
    sqlite.execute(f"UPDATE records SET is_current = 0 WHERE {current}", [record_id])  # noqa: S608


def _append_decision(sqlite: sqlite3.Connection, decision: Decision) -> None:
    origin = decision.origin
    sqlite.execute(
        "INSERT INTO decisions (id, user_id, strategy, mode, run_id, pair, side, decided_ms, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body",
        [
            decision.id,
            origin.user_id,
            origin.strategy,
            origin.mode,
            origin.run_id,
            decision.pair,
            decision.side,
            to_ms(decision.decided_at),
            encode(decision),
        ],
    )


def _mark_opened(sqlite: sqlite3.Connection, opened: Opened) -> None:
    sqlite.execute(
        "UPDATE decisions SET trade_id = ?, open_ms = ? WHERE id = ?",
        [opened.trade_id, to_ms(opened.open_date), opened.decision_id],
    )


def _mark_seen(sqlite: sqlite3.Connection, seen: SeenIn) -> None:
    sqlite.execute(
        "INSERT OR IGNORE INTO seen (database, record_id) VALUES (?, ?)",
        [seen.database, seen.record_id],
    )
