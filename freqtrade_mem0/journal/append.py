"""What can be appended to the journal, and how it is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.append_decisions import append_decisions
from freqtrade_mem0.journal.evidence.ids import SEQ_OF_ID, id_of, stored_id
from freqtrade_mem0.journal.evidence.read import EvidenceReader
from freqtrade_mem0.journal.evidence.rows import SAID_DIGITS, add_evidence, copy_evidence, outdate
from freqtrade_mem0.journal.evidence.sources import OnFile
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.forgotten import forgotten_in
from freqtrade_mem0.journal.ready import Ready, all_made_ready, made_ready
from freqtrade_mem0.journal.revive import revive
from freqtrade_mem0.journal.rows import (
    COPY_RECORD,
    INSERT_RECORD,
    Row,
    decision_row,
)
from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.base import Record, from_ms, to_ms
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.removal import removal_id
from freqtrade_mem0.records.kinds.retraction import retraction_id
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.limits import LATEST

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Iterable, Sequence


# Not frozen: making a frozen one takes three times as long.
@dataclass(slots=True, kw_only=True)
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


_IDS_AT_ONCE = 500

Entry = Record | Decision | Opened | SeenIn | Confirmed
"""What can be appended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Entries as rows, so that nothing is worded or encoded while the file is locked."""

    records: list[tuple[Record, Ready]]
    decisions: dict[str, Row]
    """By id, without the trades they became."""
    ties: dict[str, tuple[str, int]]
    """Id and open date (epoch milliseconds) of these trades, by the decision's id."""
    seen: list[Row]
    confirmed: list[str]


def as_batch(entries: Iterable[Entry]) -> Batch:
    """Return entries as rows; raise `RecordError` for one that breaks its schema."""
    batch = Batch(records=[], decisions={}, ties={}, seen=[], confirmed=[])
    records = []
    for entry in entries:
        if isinstance(entry, Record):
            records.append(entry)
        elif isinstance(entry, Decision):
            batch.decisions[entry.id] = decision_row(entry)
        elif isinstance(entry, Opened):
            batch.ties[entry.decision_id] = (entry.trade_id, to_ms(entry.open_date))
        elif isinstance(entry, Confirmed):
            batch.confirmed.append(entry.record_id)
        else:
            batch.seen.append((entry.database, entry.record_id))
    batch.records.extend(zip(records, all_made_ready(records), strict=True))
    return batch


def append_batch(sqlite: sqlite3.Connection, batch: Batch) -> int:
    """Write entries inside the caller's transaction; return how many records were new or corrected.

    Records that were never noted before, which most are, go to SQLite in bulk.
    """
    n_new = 0
    is_forgotten = forgotten_in(sqlite)
    records = [each for each in batch.records if not is_forgotten(each[1][0])]
    known = recorded_ms(sqlite, [record.id for record, _ in records])
    fresh: dict[str, Ready] = {}
    for record, ready in records:
        if record.id in known or record.id in fresh or record.retracts is not None:
            _append_fresh(sqlite, fresh.values())  # the record may be about one of these
            n_new += len(fresh)
            known |= dict.fromkeys(fresh, 0)
            fresh = {}
            n_new += _append_record(sqlite, record)
        else:
            fresh[record.id] = ready
    added = _append_fresh(sqlite, fresh.values())
    items = append_decisions(sqlite, batch.decisions, batch.ties)
    sqlite.executemany("INSERT OR IGNORE INTO seen (database, record_id) VALUES (?, ?)", batch.seen)
    for record_id in batch.confirmed:
        _confirm(sqlite, record_id)
    chain.extend(sqlite, items, added)
    return n_new + len(fresh)


def recorded_ms(sqlite: sqlite3.Connection, ids: Collection[str]) -> dict[str, int]:
    """Return when the newest version under each id was recorded, for the ids that were ever noted.

    Also of records that were retracted since.
    """
    return _latest(sqlite, ids, "recorded_ms", "1")


def known_ms(sqlite: sqlite3.Connection, ids: Collection[str]) -> dict[str, int]:
    """Return when what counts under each id became known; only where something counts."""
    return _latest(sqlite, ids, "known_ms", "is_current = 1")


def _latest(
    sqlite: sqlite3.Connection, ids: Collection[str], column: str, which: str
) -> dict[str, int]:
    stored = [stored_id(each) for each in dict.fromkeys(ids)]
    found: dict[str, int] = {}
    for start in range(0, len(stored), _IDS_AT_ONCE):
        some = stored[start : start + _IDS_AT_ONCE]
        rows = sqlite.execute(
            f"SELECT id, max({column}) FROM evidence WHERE {which}"  # noqa: S608 - fixed names
            f" AND id IN ({', '.join('?' * len(some))}) GROUP BY id",
            some,
        )
        found |= {id_of(each): latest_ms for each, latest_ms in rows}
    return found


class Current(NamedTuple):
    """The row that counts under an id."""

    kind: str
    said: str
    """The first 32 digits of its content hash."""
    body: str
    """"" where it is gone, and its evidence is all there is."""
    recorded_ms: int
    origin: tuple[str, str, str, str]
    """User, strategy, mode and run id."""
    is_adopted: bool
    """Whether it came from Mem0, and nothing on this machine confirms it."""


def current_row(sqlite: sqlite3.Connection, record_id: str) -> Current | None:
    """Return the row that counts under an id, or None."""
    row = sqlite.execute(
        "SELECT s.kind, lower(hex(e.said)), body_of(e.seq, coalesce(r.body, '')), e.recorded_ms,"
        " s.user_id, s.strategy, s.mode, s.run_id,"
        " EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = e.seq)"
        " FROM evidence AS e JOIN scopes AS s ON s.number = e.scope"
        " LEFT JOIN records AS r ON r.seq = e.seq WHERE e.id = ? AND e.is_current = 1",
        [stored_id(record_id)],
    ).fetchone()
    if row is None:
        return None
    kind, said, body, noted_ms, *origin, is_adopted = row
    return Current(kind, said, body, noted_ms, tuple(origin), bool(is_adopted))


def _append_fresh(sqlite: sqlite3.Connection, fresh: Collection[Ready]) -> list[tuple[int, Row]]:
    """Write records that were never noted; return their rows with the rows' numbers."""
    seqs = insert_fresh(sqlite, fresh)
    sqlite.executemany("INSERT INTO outbox (seq) VALUES (?)", [(seq,) for seq in seqs])
    return [(seq, row) for seq, (row, _) in zip(seqs, fresh, strict=True)]


def insert_fresh(sqlite: sqlite3.Connection, fresh: Collection[Ready]) -> Sequence[int]:
    """Write records that were never noted, and their evidence, in bulk; return their numbers."""
    if not fresh:
        return []
    (last_seq,) = sqlite.execute("SELECT coalesce(max(seq), 0) FROM records").fetchone()
    sqlite.executemany(INSERT_RECORD, [row for row, _ in fresh])
    rows = sqlite.execute("SELECT seq FROM records WHERE seq > ? ORDER BY seq", [last_seq])
    seqs = [seq for (seq,) in rows]
    add_evidence(sqlite, zip(seqs, fresh, strict=True))
    return seqs


def _append_record(sqlite: sqlite3.Connection, record: Record) -> int:
    current = current_row(sqlite, record.id)
    if current is not None:
        record, is_same = _compared(sqlite, record, current)
        target = None if record.retracts is None else current_row(sqlite, record.retracts)
        if is_same and target is None:
            if current.is_adopted:
                _confirm(sqlite, record.id)
            return 0
    write(sqlite, _noted_last(sqlite, record))
    return 1


def _compared(sqlite: sqlite3.Connection, record: Record, current: Current) -> tuple[Record, bool]:
    """Return a record with what only the current row knows, and whether it says the same."""
    if not current.body:
        for _, evidence in EvidenceReader(OnFile(sqlite)).of_ids([record.id]):
            if isinstance(evidence, TradeEvidence) and isinstance(record, TradeRecord):
                return evidence.completed(record)
    earlier = sound(type(record), record.id, current.body, current.said)
    if earlier is None:
        return record, False
    record = record.keeping(earlier)
    return record, content_hash(record)[:SAID_DIGITS] == current.said


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
    row = sqlite.execute(f"{SEQ_OF_ID} AND seq IN adopted", [stored_id(record_id)]).fetchone()
    if row is not None:
        revive(sqlite, row)
        sqlite.execute("UPDATE records SET is_current = 0 WHERE seq = ?", row)
        outdate(sqlite, record_id)
        copy_seq = sqlite.execute(COPY_RECORD, row).lastrowid
        copy_evidence(sqlite, row[0], copy_seq or 0)


def insert(sqlite: sqlite3.Connection, record: Record) -> int | None:
    """Write the row of a record and its evidence; return the row's number."""
    ready = made_ready(record)
    seq = sqlite.execute(INSERT_RECORD, ready[0]).lastrowid
    add_evidence(sqlite, [(seq or 0, ready)])
    return seq


def write(sqlite: sqlite3.Connection, record: Record) -> int | None:
    """Let a record count from now on, and wait for delivery; return its row's number."""
    supersede(sqlite, record.id)
    seq = insert(sqlite, record)
    # A memory that was deleted does not come back with a correction.
    sqlite.execute(
        f"INSERT INTO outbox (seq) SELECT ? WHERE NOT EXISTS ({SEQ_OF_ID})",
        [seq, stored_id(removal_id(record.id))],
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
    sqlite.execute(
        f"UPDATE records SET is_current = 0 WHERE {current}",  # noqa: S608
        [record_id],
    )
    return outdate(sqlite, record_id)
