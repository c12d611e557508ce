"""Whether a row of the journal still says what was written to it.

SQLite finds damaged pages, but not a changed value: one digit in a record's JSON leaves the file
intact. A record's row has the hash of what it said; a decision's has none.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.evidence.read import EvidenceReader
from freqtrade_mem0.journal.evidence.rows import COLUMNS, SAID_DIGITS
from freqtrade_mem0.journal.old_decisions import SELECT as OLD_DECISIONS
from freqtrade_mem0.journal.old_decisions import old_decision
from freqtrade_mem0.records.codec import decode, decode_decision, hash_of
from freqtrade_mem0.records.kinds import record_types

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.journal.evidence.sources import Rows
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.codec import RecordT
    from freqtrade_mem0.records.decision import Decision

_PAGE = 1_000
"""Rows read at a time; between two pages the file is free."""

_ROWS = {
    "record": "SELECT seq, id, kind, body_of(seq, body), content_hash FROM records"
    " WHERE seq > ? ORDER BY seq LIMIT ?",
    "decision": "SELECT seq, id, '', body_of(-seq, body), '' FROM decisions"
    " WHERE seq > ? ORDER BY seq LIMIT ?",
}


@dataclass(slots=True)
class Verified:
    """What was found in all rows, current or not."""

    n_rows: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    """Why a row can not be used, by "record ID", "evidence ID" or "decision ID"."""


def checked_record(record_id: str, kind: str, body: str, content_hash: str) -> Record:
    """Return the record in a row.

    Raises
    ------
    RecordError
        It can not be decoded, is not what was written, or is gone.
    """
    if not body:
        raise RecordError(
            f"The body of {kind} record {record_id} is gone. What stakes are computed from is kept."
        )
    record = decode(kind, body)
    said = hash_of(body, record.added_later)
    if record.id != record_id or content_hash not in (said, said[:SAID_DIGITS]):
        raise RecordError(
            f"The {kind} record {record_id} was changed since it was written: its content does not "
            "match its id and hash. 'freqtrade-mem0 salvage' takes it out of the journal."
        )
    return record


def sound(
    record_type: type[RecordT], record_id: str, body: str, content_hash: str
) -> RecordT | None:
    """Return the record in a row; None where it was changed, or a newer version wrote it."""
    try:
        record = checked_record(record_id, record_type.kind, body, content_hash)
    except RecordError:
        return None
    return record if isinstance(record, record_type) else None


def checked_decision(decision_id: str, body: str) -> Decision:
    """Return the decision in a row; raise `RecordError` as `checked_record`."""
    decision = decode_decision(body)
    if decision.id != decision_id:
        raise RecordError(f"The row of decision {decision_id} holds decision {decision.id}.")
    return decision


def is_sound(table: str, row: Sequence[Any]) -> bool:
    """Return whether a whole row of `records` or `decisions` says what was written to it.

    A record of an unknown kind is left to the newer version that wrote it.
    """
    try:
        if table == "decisions":
            checked_decision(row[1], row[-1])
        elif row[4] in record_types():
            checked_record(row[1], row[4], row[-1], row[2])
        else:
            return bool(json.loads(row[-1])["id"] == row[1])
    except (RecordError, TypeError, ValueError, KeyError, AttributeError):
        return False  # a damaged row has values of any type
    return True


def verify(connection: Rows, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Decode and hash every row and its evidence; raise `JournalError` where that can not be read.

    `progress` gets, page by page, how many rows are done and how many there are.
    """
    found = Verified()
    n_in_all = connection.row(
        "SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM decisions)"
    )[0]
    for table, query in _ROWS.items():
        seq = 0
        while rows := connection.rows(query, [seq, _PAGE]):
            for _, row_id, kind, body, content_hash in rows:
                found.n_rows += 1
                try:
                    if table == "record":
                        checked_record(row_id, kind, body, content_hash)
                    else:
                        checked_decision(row_id, body)
                except RecordError as error:
                    found.bad[f"{table} {row_id}"] = str(error)
            seq = rows[-1][0]
            if progress is not None:
                progress(found.n_rows, n_in_all)
    _verify_evidence(connection, found)
    return found


def _verify_evidence(connection: Rows, found: Verified) -> None:
    reader, seq = EvidenceReader(connection), 0
    query = f"SELECT {COLUMNS} FROM evidence WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
    while rows := connection.rows(query, [seq, _PAGE]):
        for row in rows:
            try:
                reader.check(row)
            except RecordError as error:
                found.bad[f"evidence {id_of(row[1])}"] = str(error)
        seq = rows[-1][0]
    words = reader.words
    for row in connection.rows(f"{OLD_DECISIONS} 1"):
        try:
            old_decision(row, words)
        except RecordError as error:
            found.bad[f"decision {id_of(row[1])}"] = str(error)
    without = connection.rows(
        "SELECT id FROM records WHERE NOT EXISTS"
        " (SELECT 1 FROM evidence WHERE evidence.seq = records.seq)"
    )
    for (record_id,) in without:
        found.bad[f"evidence {record_id}"] = (
            f"Record {record_id} has no evidence, so no stake knows it. 'freqtrade-mem0 salvage' "
            "makes it anew."
        )
