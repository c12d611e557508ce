"""What can be appended to the journal, and how each kind of entry is written."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.rows import (
    INSERT_DECISION,
    INSERT_RECORD,
    Row,
    decision_row,
    record_row,
)
from freqtrade_mem0.records.base import Record, from_ms, to_ms
from freqtrade_mem0.records.codec import content_hash, decode
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.retraction import Retraction, retraction_id
from freqtrade_mem0.records.kinds.trade import TradeRecord, keeping_entry

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Mapping, Sequence


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries as rows, so that nothing is worded or encoded while the file is locked.

    Parameters
    ----------
    records
        Records, each with its row of `records`.
    decisions
        Rows of `decisions` by id, without the trades they became.
    ties
        Id and open date (epoch milliseconds) of these trades, by the decision's id.
    seen
        Rows of `seen`.
    """

    records: list[tuple[Record, Row]]
    decisions: dict[str, Row]
    ties: dict[str, tuple[str, int]]
    seen: list[Row]


def as_batch(entries: Iterable[Entry]) -> Batch:
    """Return entries as rows; each is encoded as soon as it is there.

    Raises
    ------
    RecordError
        An entry breaks the schema.
    """
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

    What is plain (a record nobody has noted before) goes to SQLite in bulk, which is most of it.
    """
    n_new = 0
    known = recorded_ms(sqlite, [record.id for record, _ in batch.records])
    fresh: dict[str, Row] = {}
    for record, row in batch.records:
        if record.id in known or record.id in fresh or isinstance(record, Retraction):
            _append_fresh(sqlite, fresh.values())  # what came before it, it may be about
            n_new += len(fresh)
            known |= dict.fromkeys(fresh, 0)
            fresh = {}
            n_new += _append_record(sqlite, record)
        else:
            fresh[record.id] = row
    _append_fresh(sqlite, fresh.values())
    # Records know nothing of decisions; a decision comes before what is said about it.
    _append_decisions(sqlite, batch.decisions, batch.ties)
    sqlite.executemany("INSERT OR IGNORE INTO seen (database, record_id) VALUES (?, ?)", batch.seen)
    return n_new + len(fresh)


def _append_fresh(sqlite: sqlite3.Connection, rows: Collection[Row]) -> None:
    if not rows:
        return
    (last_seq,) = sqlite.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
    sqlite.executemany(INSERT_RECORD, rows)
    sqlite.execute(
        "INSERT INTO outbox (seq) SELECT seq FROM records WHERE seq > ?",
        [last_seq],
    )


def adopt_records(sqlite: sqlite3.Connection, records: Sequence[Record]) -> int:
    """Write records that came from Mem0, inside the caller's transaction; return how many were new.

    No news is what this file has a version of that was recorded later or says the same, or took
    back later. Only what such a later version does not know of a trade's entry is kept.
    """
    ids = [each for record in records for each in (record.id, retraction_id(record.id))]
    known = recorded_ms(sqlite, ids)
    fresh: dict[str, Record] = {}
    others: list[Record] = []
    for record in records:
        is_known = record.id in known or retraction_id(record.id) in known
        if is_known or record.id in fresh or isinstance(record, Retraction):
            others.append(record)
        else:
            fresh[record.id] = record
    # They were decoded a moment ago.
    sqlite.executemany(INSERT_RECORD, [record_row(record) for record in fresh.values()])
    return len(fresh) + sum(_adopt(sqlite, record) for record in others)


def recorded_ms(sqlite: sqlite3.Connection, ids: Collection[str]) -> dict[str, int]:
    """Return when the newest version under each id was recorded, for the ids that were ever noted.

    Also of what was taken back since.
    """
    rows = sqlite.execute(
        "SELECT r.id, max(r.recorded_ms) FROM json_each(?) AS asked CROSS JOIN records AS r"
        " ON r.id = asked.value GROUP BY r.id",
        [json.dumps(list(ids))],
    ).fetchall()
    return dict(rows)


def _adopt(sqlite: sqlite3.Connection, record: Record) -> int:
    latest = max(recorded_ms(sqlite, [record.id, retraction_id(record.id)]).values(), default=None)
    current = _current(sqlite, record.id)
    said = content_hash(record)
    ours = None if current is None else _readable(record.kind, current[1])
    if latest is not None and not _is_later(record, said, latest, current):
        return _completed(sqlite, ours, record)
    if _completed(sqlite, record, ours):
        return 1
    if current is not None:
        _supersede(sqlite, record.id)
    _insert(sqlite, record)
    if isinstance(record, Retraction) and not _was_said_after(sqlite, record):
        return int(current is None) | _supersede(sqlite, record.target_id)
    return int(current is None or current[0] != said)


def _completed(sqlite: sqlite3.Connection, last: Record | None, other: Record | None) -> int:
    """Write the last version of a trade with what another one knows of its entry; 1 if it did.

    Mem0 gets it as well, and takes it for later than the version without.
    """
    if not isinstance(last, TradeRecord) or not isinstance(other, TradeRecord):
        return 0
    whole = keeping_entry(last, other)
    said = content_hash(whole)
    if said == content_hash(last):
        return 0
    _write(sqlite, replace(whole, recorded_at=_just_after(last.recorded_at)))
    return 1


def _is_later(record: Record, said: str, latest_ms: int, current: tuple[str, str] | None) -> bool:
    """Tell whether a record counts against what is known; all journals decide alike."""
    noted_ms = to_ms(record.recorded_at)
    if noted_ms != latest_ms or current is None:
        return noted_ms > latest_ms
    return said > current[0]  # noted in one millisecond: either order will do, but one for all


def _readable(kind: str, body: str) -> Record | None:
    """Return a record; None where a newer version wrote it: that must hold nothing up."""
    try:
        return decode(kind, body)
    except RecordError:
        return None


def _just_after(moment: datetime) -> datetime:
    return from_ms(to_ms(moment) + 1)


def _current(sqlite: sqlite3.Connection, record_id: str) -> tuple[str, str] | None:
    """Return hash and JSON of the current record with an id."""
    query = "SELECT content_hash, body FROM records WHERE id = ? AND is_current = 1"
    row: tuple[str, str] | None = sqlite.execute(query, [record_id]).fetchone()
    return row


def _was_said_after(sqlite: sqlite3.Connection, record: Retraction) -> bool:
    """Tell whether what a retraction takes back was said again since."""
    query = "SELECT 1 FROM records WHERE id = ? AND is_current = 1 AND recorded_ms > ?"
    values = [record.target_id, to_ms(record.recorded_at)]
    return sqlite.execute(query, values).fetchone() is not None


def _append_record(sqlite: sqlite3.Connection, record: Record) -> int:
    current = _current(sqlite, record.id)
    if current is not None and isinstance(record, TradeRecord):
        earlier = _readable(record.kind, current[1])
        if isinstance(earlier, TradeRecord):
            record = keeping_entry(record, earlier)
    said = content_hash(record)
    if current is not None and current[0] == said and not _takes_back_again(sqlite, record):
        return 0
    _write(sqlite, _noted_last(sqlite, record))
    return 1


def _write(sqlite: sqlite3.Connection, record: Record) -> None:
    """Let a record count from now on, and wait for delivery."""
    _supersede(sqlite, record.id)
    seq = _insert(sqlite, record)
    sqlite.execute("INSERT INTO outbox (seq) VALUES (?)", [seq])
    if isinstance(record, Retraction):
        _supersede(sqlite, record.target_id)


def _noted_last(sqlite: sqlite3.Connection, record: Record) -> Record:
    """Return a record that counts against what it replaces, also where a clock was put back.

    Other journals decide by `recorded_at` which of two versions is the last word.
    """
    ids = [record.id, retraction_id(record.id)]
    if isinstance(record, Retraction):
        ids.append(record.target_id)
    (latest_ms,) = sqlite.execute(
        f"SELECT max(recorded_ms) FROM records WHERE id IN ({', '.join('?' * len(ids))})",  # noqa: S608
        ids,
    ).fetchone()
    if latest_ms is None or to_ms(record.recorded_at) >= latest_ms:
        return record
    return replace(record, recorded_at=_just_after(from_ms(latest_ms)))


def _insert(sqlite: sqlite3.Connection, record: Record) -> int | None:
    return sqlite.execute(INSERT_RECORD, record_row(record)).lastrowid


def _takes_back_again(sqlite: sqlite3.Connection, record: Record) -> bool:
    """Tell whether what a retraction takes back has come back since it was noted."""
    if not isinstance(record, Retraction):
        return False
    query = "SELECT 1 FROM records WHERE id = ? AND is_current = 1"
    return sqlite.execute(query, [record.target_id]).fetchone() is not None


def _supersede(sqlite: sqlite3.Connection, record_id: str) -> int:
    """Let what was said under an id count no more; it stays in the file. Return 1 if it did."""
    current = "id = ? AND is_current = 1"  # as the index is
    # What comes in its stead is delivered; sending both could end with the wrong one.
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
    """Write decisions, and what became of these or earlier ones."""
    # In a backtest both come together, and two writes to one row become one.
    sqlite.executemany(
        INSERT_DECISION,
        [(*row, *(ties.get(decision_id) or _UNTIED)) for decision_id, row in rows.items()],
    )
    sqlite.executemany(
        "UPDATE decisions SET trade_id = ?, open_ms = ? WHERE id = ?",
        [(*tie, decision_id) for decision_id, tie in ties.items() if decision_id not in rows],
    )


_UNTIED = (None, None)
