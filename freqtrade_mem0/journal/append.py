"""What can be appended to the journal, and how it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.chain import DECISION, Item, decision_digest
from freqtrade_mem0.journal.forgotten import forgotten_in
from freqtrade_mem0.journal.rows import (
    COPY_RECORD,
    INSERT_DECISION,
    INSERT_RECORD,
    Row,
    decision_row,
    record_row,
)
from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.base import Record, from_ms, to_ms
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.removal import removal_id
from freqtrade_mem0.records.kinds.retraction import retraction_id
from freqtrade_mem0.records.limits import LATEST

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A decision became a trade: its first entry order was filled. `open_date` is aware UTC."""

    decision_id: str
    trade_id: str
    open_date: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenIn:
    """A trade is in one of Freqtrade's databases, so that a later deletion there is noticed."""

    record_id: str
    database: str
    """Identity of the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """A record that came from Mem0 counts as one of this machine: its owner vouches for it."""

    record_id: str


Entry = Record | Decision | Opened | SeenIn | Confirmed
"""What can be appended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries as rows, so that nothing is worded or encoded while the file is locked."""

    records: list[tuple[Record, Row]]
    decisions: dict[str, Row]
    """By id, without the trades they became."""
    ties: dict[str, tuple[str, int]]
    """Id and open date (epoch milliseconds) of these trades, by the decision's id."""
    seen: list[Row]
    confirmed: list[str]


def as_batch(entries: Iterable[Entry]) -> Batch:
    """Return entries as rows; raise `RecordError` for one that breaks its schema."""
    batch = Batch(records=[], decisions={}, ties={}, seen=[], confirmed=[])
    for entry in entries:
        if isinstance(entry, Record):
            batch.records.append((entry, record_row(entry)))
        elif isinstance(entry, Decision):
            batch.decisions[entry.id] = decision_row(entry)
        elif isinstance(entry, Opened):
            batch.ties[entry.decision_id] = (entry.trade_id, to_ms(entry.open_date))
        elif isinstance(entry, Confirmed):
            batch.confirmed.append(entry.record_id)
        else:
            batch.seen.append((entry.database, entry.record_id))
    return batch


def append_batch(sqlite: sqlite3.Connection, batch: Batch) -> int:
    """Write entries inside the caller's transaction; return how many records were new or corrected.

    Records that were never noted before, which most are, go to SQLite in bulk.
    """
    n_new = 0
    is_forgotten = forgotten_in(sqlite)
    records = [each for each in batch.records if not is_forgotten(each[0])]
    known = recorded_ms(sqlite, [record.id for record, _ in records])
    fresh: dict[str, Row] = {}
    for record, row in records:
        if record.id in known or record.id in fresh or record.retracts is not None:
            _append_fresh(sqlite, fresh.values())  # the record may be about one of these
            n_new += len(fresh)
            known |= dict.fromkeys(fresh, 0)
            fresh = {}
            n_new += _append_record(sqlite, record)
        else:
            fresh[record.id] = row
    _append_fresh(sqlite, fresh.values())
    items = _append_decisions(sqlite, batch.decisions, batch.ties)
    sqlite.executemany("INSERT OR IGNORE INTO seen (database, record_id) VALUES (?, ?)", batch.seen)
    for record_id in batch.confirmed:
        _confirm(sqlite, record_id)
    chain.extend(sqlite, items)
    return n_new + len(fresh)


def recorded_ms(sqlite: sqlite3.Connection, ids: Collection[str]) -> dict[str, int]:
    """Return when the newest version under each id was recorded, for the ids that were ever noted.

    Also of records that were retracted since.
    """
    rows = sqlite.execute(
        "SELECT r.id, max(r.recorded_ms) FROM json_each(?) AS asked CROSS JOIN records AS r"
        " ON r.id = asked.value GROUP BY r.id",
        [json.dumps(list(ids))],
    ).fetchall()
    return dict(rows)


class Current(NamedTuple):
    """The row that counts under an id."""

    kind: str
    content_hash: str
    body: str
    recorded_ms: int
    origin: tuple[str, str, str, str]
    """User, strategy, mode and run id."""
    is_adopted: bool
    """Whether it came from Mem0, and nothing on this machine confirms it."""


def current_row(sqlite: sqlite3.Connection, record_id: str) -> Current | None:
    """Return the row that counts under an id, or None."""
    row = sqlite.execute(
        "SELECT kind, content_hash, body, recorded_ms, user_id, strategy, mode, run_id,"
        " EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = records.seq)"
        " FROM records WHERE id = ? AND is_current = 1",
        [record_id],
    ).fetchone()
    if row is None:
        return None
    kind, said, body, noted_ms, *origin, is_adopted = row
    return Current(kind, said, body, noted_ms, tuple(origin), bool(is_adopted))


def _append_fresh(sqlite: sqlite3.Connection, rows: Collection[Row]) -> None:
    if not rows:
        return
    (last_seq,) = sqlite.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
    sqlite.executemany(INSERT_RECORD, rows)
    sqlite.execute("INSERT INTO outbox (seq) SELECT seq FROM records WHERE seq > ?", [last_seq])


def _append_record(sqlite: sqlite3.Connection, record: Record) -> int:
    current = current_row(sqlite, record.id)
    if current is not None:
        earlier = sound(type(record), record.id, current.body, current.content_hash)
        record = record if earlier is None else record.keeping(earlier)
        target = None if record.retracts is None else current_row(sqlite, record.retracts)
        is_same = current.content_hash == content_hash(record) and earlier is not None
        if is_same and target is None:
            if current.is_adopted:
                _confirm(sqlite, record.id)
            return 0
    write(sqlite, _noted_last(sqlite, record))
    return 1


def _noted_last(sqlite: sqlite3.Connection, record: Record) -> Record:
    """Return a record that counts against what it replaces, also where a clock was put back.

    Other journals take the version with the latest `recorded_at` for the valid one.
    """
    ids = [record.id, retraction_id(record.id), record.retracts or record.id]
    latest_ms = max(recorded_ms(sqlite, ids).values(), default=None)
    if latest_ms is None or to_ms(record.recorded_at) >= latest_ms:
        return record
    return replace(record, recorded_at=min(from_ms(latest_ms + 1), LATEST))


def _confirm(sqlite: sqlite3.Connection, record_id: str) -> None:
    """Let a record that came from Mem0 count as one of this machine: as a row of its own.

    Readers that follow the order of arrival meet it again. Mem0 has it already.
    """
    row = sqlite.execute(
        "SELECT seq FROM records WHERE id = ? AND is_current = 1 AND seq IN adopted", [record_id]
    ).fetchone()
    if row is not None:
        sqlite.execute("UPDATE records SET is_current = 0 WHERE seq = ?", row)
        sqlite.execute(COPY_RECORD, row)


def write(sqlite: sqlite3.Connection, record: Record) -> int | None:
    """Let a record count from now on, and wait for delivery; return its row's number."""
    supersede(sqlite, record.id)
    seq = sqlite.execute(INSERT_RECORD, record_row(record)).lastrowid
    # A memory that was deleted does not come back with a correction.
    sqlite.execute(
        "INSERT INTO outbox (seq) SELECT ?1 WHERE NOT EXISTS"
        " (SELECT 1 FROM records WHERE id = ?2 AND is_current = 1)",
        [seq, removal_id(record.id)],
    )
    if record.retracts is not None:
        supersede(sqlite, record.retracts)
    return seq


def supersede(sqlite: sqlite3.Connection, record_id: str) -> int:
    """Let the current record with an id no longer count; return 1 if there was one."""
    current = "id = ? AND is_current = 1"  # as the index has it
    # Its successor is delivered instead; sending both could end with the wrong one.
    sqlite.execute(
        f"DELETE FROM outbox WHERE seq IN (SELECT seq FROM records WHERE {current})",  # noqa: S608
        [record_id],
    )
    cursor = sqlite.execute(
        f"UPDATE records SET is_current = 0 WHERE {current}",  # noqa: S608
        [record_id],
    )
    return cursor.rowcount


def _append_decisions(
    sqlite: sqlite3.Connection, rows: Mapping[str, Row], ties: Mapping[str, tuple[str, int]]
) -> list[Item]:
    """Write decisions, and the trades that these or earlier ones became; return their items."""
    # In a backtest both come together, and two writes to one row become one.
    items = []
    for decision_id, row in rows.items():
        tie = ties.get(decision_id, (None, None))
        for seq, *tied in sqlite.execute(INSERT_DECISION, (*row, *tie)).fetchall():
            items.append(Item(DECISION, seq, decision_digest((*row, *tied))))
    tied_later = [
        seq
        for decision_id, tie in ties.items()
        if decision_id not in rows
        for (seq,) in sqlite.execute(
            "UPDATE decisions SET trade_id = ?, open_ms = ? WHERE id = ? RETURNING seq",
            (*tie, decision_id),
        ).fetchall()
    ]
    return [*items, *chain.decision_items(sqlite, tied_later)]
