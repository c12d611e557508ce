"""What can be appended to the journal, and how it is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.journal.rows import (
    INSERT_DECISION,
    INSERT_RECORD,
    Row,
    decision_row,
    readable,
    record_row,
)
from freqtrade_mem0.records.base import Record, from_ms, to_ms
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.retraction import retraction_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping, Sequence


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


Entry = Record | Decision | Opened | SeenIn
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


def as_batch(entries: Iterable[Entry]) -> Batch:
    """Return entries as rows; raise `RecordError` for one that breaks its schema."""
    batch = Batch(records=[], decisions={}, ties={}, seen=[])
    for entry in entries:
        if isinstance(entry, Record):
            batch.records.append((entry, record_row(entry)))
        elif isinstance(entry, Decision):
            batch.decisions[entry.id] = decision_row(entry)
        elif isinstance(entry, Opened):
            batch.ties[entry.decision_id] = (entry.trade_id, to_ms(entry.open_date))
        else:
            batch.seen.append((entry.database, entry.record_id))
    return batch


def append_batch(sqlite: sqlite3.Connection, batch: Batch) -> int:
    """Write entries inside the caller's transaction; return how many records were new or corrected.

    Records that were never noted before, which most are, go to SQLite in bulk.
    """
    n_new = 0
    known = recorded_ms(sqlite, [record.id for record, _ in batch.records])
    fresh: dict[str, Row] = {}
    for record, row in batch.records:
        if record.id in known or record.id in fresh or record.retracts is not None:
            _append_fresh(sqlite, fresh.values())  # the record may be about one of these
            n_new += len(fresh)
            known |= dict.fromkeys(fresh, 0)
            fresh = {}
            n_new += _append_record(sqlite, record)
        else:
            fresh[record.id] = row
    _append_fresh(sqlite, fresh.values())
    _append_decisions(sqlite, batch.decisions, batch.ties)
    sqlite.executemany("INSERT OR IGNORE INTO seen (database, record_id) VALUES (?, ?)", batch.seen)
    return n_new + len(fresh)


def adopt_records(sqlite: sqlite3.Connection, records: Sequence[Record]) -> int:
    """Write records that came from Mem0, inside the caller's transaction; return how many were new.

    A record is not new if the journal has a version that was recorded later or says the same, or
    retracted it later. Such a later version only gets what it does not know of a trade's entry.
    """
    ids = [each for record in records for each in (record.id, retraction_id(record.id))]
    known = recorded_ms(sqlite, ids)
    fresh: dict[str, Record] = {}
    others: list[Record] = []
    for record in records:
        is_known = record.id in known or retraction_id(record.id) in known
        if is_known or record.id in fresh or record.retracts is not None:
            others.append(record)
        else:
            fresh[record.id] = record
    sqlite.executemany(INSERT_RECORD, [record_row(record) for record in fresh.values()])
    return len(fresh) + sum(_adopt(sqlite, record) for record in others)


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


class _Current(NamedTuple):
    """What counts under an id."""

    content_hash: str
    body: str
    recorded_ms: int


def _current(sqlite: sqlite3.Connection, record_id: str) -> _Current | None:
    row = sqlite.execute(
        "SELECT content_hash, body, recorded_ms FROM records WHERE id = ? AND is_current = 1",
        [record_id],
    ).fetchone()
    return None if row is None else _Current(*row)


def _append_fresh(sqlite: sqlite3.Connection, rows: Collection[Row]) -> None:
    if not rows:
        return
    (last_seq,) = sqlite.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
    sqlite.executemany(INSERT_RECORD, rows)
    sqlite.execute("INSERT INTO outbox (seq) SELECT seq FROM records WHERE seq > ?", [last_seq])


def _append_record(sqlite: sqlite3.Connection, record: Record) -> int:
    current = _current(sqlite, record.id)
    if current is not None:
        earlier = readable(type(record), current.body)
        record = record if earlier is None else record.keeping(earlier)
        target = None if record.retracts is None else _current(sqlite, record.retracts)
        if current.content_hash == content_hash(record) and target is None:
            return 0
    _write(sqlite, _noted_last(sqlite, record))
    return 1


def _noted_last(sqlite: sqlite3.Connection, record: Record) -> Record:
    """Return a record that counts against what it replaces, also where a clock was put back.

    Other journals take the version with the latest `recorded_at` for the valid one.
    """
    ids = [record.id, retraction_id(record.id), record.retracts or record.id]
    latest_ms = max(recorded_ms(sqlite, ids).values(), default=None)
    if latest_ms is None or to_ms(record.recorded_at) >= latest_ms:
        return record
    return replace(record, recorded_at=from_ms(latest_ms + 1))


def _adopt(sqlite: sqlite3.Connection, record: Record) -> int:
    known = recorded_ms(sqlite, [record.id, retraction_id(record.id)])
    current = _current(sqlite, record.id)
    said = content_hash(record)
    ours = None if current is None else readable(type(record), current.body)
    if known and not _is_later(record, said, max(known.values()), current):
        return _completed(sqlite, ours, record)
    if _completed(sqlite, record, ours):
        return 1
    if current is not None:
        _supersede(sqlite, record.id)
    _insert(sqlite, record)
    if record.retracts is not None:
        target = _current(sqlite, record.retracts)
        # A target that was recorded after its retraction was noted again, and counts.
        if target is None or target.recorded_ms <= to_ms(record.recorded_at):
            return int(current is None) | _supersede(sqlite, record.retracts)
    return int(current is None or current.content_hash != said)


def _completed(sqlite: sqlite3.Connection, last: Record | None, other: Record | None) -> int:
    """Write the last version with what only the other one knows of its entry; return 1 if it did.

    Mem0 gets it as well, and takes it for later than the version without.
    """
    if last is None or other is None:
        return 0
    whole = last.keeping(other)
    if whole is last or content_hash(whole) == content_hash(last):
        return 0
    _write(sqlite, replace(whole, recorded_at=from_ms(to_ms(last.recorded_at) + 1)))
    return 1


def _is_later(record: Record, said: str, latest_ms: int, current: _Current | None) -> bool:
    """Return whether a record counts against what is known; all journals decide alike."""
    noted_ms = to_ms(record.recorded_at)
    if noted_ms != latest_ms or current is None:
        return noted_ms > latest_ms
    # Both were noted in one millisecond: any order will do that is the same everywhere.
    return said > current.content_hash


def _write(sqlite: sqlite3.Connection, record: Record) -> None:
    """Let a record count from now on, and wait for delivery."""
    _supersede(sqlite, record.id)
    sqlite.execute("INSERT INTO outbox (seq) VALUES (?)", [_insert(sqlite, record)])
    if record.retracts is not None:
        _supersede(sqlite, record.retracts)


def _insert(sqlite: sqlite3.Connection, record: Record) -> int | None:
    return sqlite.execute(INSERT_RECORD, record_row(record)).lastrowid


def _supersede(sqlite: sqlite3.Connection, record_id: str) -> int:
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
) -> None:
    """Write decisions, and the trades that these or earlier ones became."""
    # In a backtest both come together, and two writes to one row become one.
    sqlite.executemany(
        INSERT_DECISION,
        [(*row, *ties.get(decision_id, (None, None))) for decision_id, row in rows.items()],
    )
    sqlite.executemany(
        "UPDATE decisions SET trade_id = ?, open_ms = ? WHERE id = ?",
        [(*tie, decision_id) for decision_id, tie in ties.items() if decision_id not in rows],
    )
