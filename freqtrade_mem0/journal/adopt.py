"""Takes records that came from Mem0 into the journal, as far as they may say something.

Whoever can write to a shared Mem0 can write any record. So a record from there never replaces or
retracts what this machine recorded; it may only add what is known of a trade's entry. Corrections
and retractions are taken from the record's own origin alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.append import (
    current_row,
    insert,
    insert_fresh,
    recorded_ms,
    supersede,
    write,
)
from freqtrade_mem0.journal.evidence.ids import stored_id
from freqtrade_mem0.journal.evidence.rows import SAID_DIGITS
from freqtrade_mem0.journal.forgotten import forgotten_in
from freqtrade_mem0.journal.ready import record_in
from freqtrade_mem0.journal.set_aside import put_aside, take_back
from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.base import from_ms, to_ms
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.retraction import Retraction, retraction_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from freqtrade_mem0.journal.append import Current
    from freqtrade_mem0.journal.ready import Ready
    from freqtrade_mem0.records.base import Record

SOURCE = "Mem0"


def adopt_records(sqlite: sqlite3.Connection, batch: Sequence[Ready]) -> int:
    """Write records that came from Mem0, inside the caller's transaction; return how many were new.

    A record is not new if the journal has a version that was recorded later or says the same, or
    retracted it later. One that may not say what it says is set aside.
    """
    is_forgotten = forgotten_in(sqlite)
    batch = [each for each in batch if not is_forgotten(each[0])]
    known = _known(sqlite, [str(row[0]) for row, _ in batch])
    fresh: dict[str, Ready] = {}
    others: list[Ready] = []
    for ready in batch:
        record_id, kind = str(ready[0][0]), ready[0][2]
        if record_id in known or record_id in fresh or kind == Retraction.kind:
            others.append(ready)
        else:
            fresh[record_id] = ready
    seqs = insert_fresh(sqlite, fresh.values())
    sqlite.executemany("INSERT INTO adopted (seq) VALUES (?)", [(seq,) for seq in seqs])
    take_back(sqlite, SOURCE, fresh)  # signed since, for example
    n_new = len(fresh) + sum(_adopt(sqlite, record_in(each)) for each in others)
    added = [(seq, row) for seq, (row, _) in zip(seqs, fresh.values(), strict=True)]
    chain.extend(sqlite, added=added)
    return n_new


def _known(sqlite: sqlite3.Connection, ids: Sequence[str]) -> set[str]:
    """Return those of the ids that were ever noted or retracted."""
    known = set(recorded_ms(sqlite, ids))
    any_retraction = "SELECT 1 FROM scopes WHERE kind = ? LIMIT 1"
    if sqlite.execute(any_retraction, [Retraction.kind]).fetchone() is not None:
        by_retraction = {retraction_id(each): each for each in ids if each not in known}
        known |= {by_retraction[each] for each in recorded_ms(sqlite, by_retraction)}
    return known


def _adopt(sqlite: sqlite3.Connection, record: Record) -> int:
    current = current_row(sqlite, record.id)
    target = None if record.retracts is None else current_row(sqlite, record.retracts)
    if current is not None and _is_ours(record, current):
        return _add_to_ours(sqlite, record, current)
    why = _objection(record, current, target)
    if why:
        put_aside(sqlite, SOURCE, record.id, why)
        return 0
    return _adopt_allowed(sqlite, record, current, target)


def _adopt_allowed(
    sqlite: sqlite3.Connection, record: Record, current: Current | None, target: Current | None
) -> int:
    said = content_hash(record)[:SAID_DIGITS]
    latest_ms, was_retracted_here = _latest(sqlite, record)
    if current is None and was_retracted_here and record.retracts is None:
        return 0
    ours = None if current is None else _readable(record, current)
    if latest_ms is not None and not _is_later(record, said, latest_ms, current):
        return _completed(sqlite, ours, record)
    if _completed(sqlite, record, ours):
        return 1
    if current is not None:
        supersede(sqlite, record.id)
    _insert(sqlite, record)
    # A target that was recorded after its retraction was noted again, and counts.
    if target is not None and target.recorded_ms <= to_ms(record.recorded_at):
        return int(current is None) | supersede(sqlite, record.retracts or "")
    return int(current is None or current.said != said)


def _is_ours(record: Record, current: Current) -> bool:
    """Return whether this machine vouches for what counts; not for a row that it can not read."""
    if current.is_adopted or _is_free(record, current):
        return False
    is_gone = not current.body  # its evidence is still this machine's
    return is_gone or record.kind != current.kind or _readable(record, current) is not None


def _readable(record: Record, current: Current) -> Record | None:
    return sound(type(record), record.id, current.body, current.said)


def _is_free(record: Record, current: Current) -> bool:
    """Return whether anybody may change a record: notes, which no stake depends on."""
    return isinstance(record, Note) and current.kind == Note.kind


def _add_to_ours(sqlite: sqlite3.Connection, record: Record, current: Current) -> int:
    """Add to a record of this machine what only Mem0 knows; everything else stays as it is."""
    ours = _readable(record, current) if record.kind == current.kind else None
    if ours is not None and ours.origin == record.origin and _completed(sqlite, ours, record):
        return 1
    is_later = to_ms(record.recorded_at) > current.recorded_ms
    if is_later and content_hash(record)[:SAID_DIGITS] != current.said:
        why = "it contradicts a record that this machine made itself"
        put_aside(sqlite, SOURCE, record.id, why)
    return 0


def _objection(record: Record, current: Current | None, target: Current | None) -> str:
    """Return why a record may not say what it says; "" where it may."""
    if target is not None and not target.is_adopted:
        return f"it retracts {record.retracts}, which this machine recorded itself"
    if target is not None and target.origin != _origin(record):
        return f"it retracts {record.retracts}, a record of another bot or run"
    if current is None or _is_free(record, current):
        return ""
    if current.kind != record.kind or current.origin != _origin(record):
        return "it replaces a record of another kind, bot or run"
    return ""


def _origin(record: Record) -> tuple[str, str, str, str]:
    origin = record.origin
    return origin.user_id, origin.strategy, str(origin.mode), origin.run_id


def _latest(sqlite: sqlite3.Connection, record: Record) -> tuple[int | None, bool]:
    """Return when this origin recorded or retracted the record last, and whether on this machine.

    What other origins said of it does not count.
    """
    latest: tuple[int | None, int] = sqlite.execute(
        "SELECT max(recorded_ms), coalesce(max(seq NOT IN adopted), 0) FROM evidence"
        " JOIN scopes ON scopes.number = evidence.scope"
        " WHERE id IN (?, ?) AND user_id = ? AND strategy = ? AND mode = ? AND run_id = ?",
        [stored_id(record.id), stored_id(retraction_id(record.id)), *_origin(record)],
    ).fetchone()
    return latest[0], bool(latest[1])


def _completed(sqlite: sqlite3.Connection, last: Record | None, other: Record | None) -> int:
    """Write the last version with what only the other one knows of its entry; return 1 if it did.

    Mem0 gets it as well, and takes it for later than the version without.
    """
    if last is None or other is None:
        return 0
    whole = last.keeping(other)
    if whole is last or content_hash(whole) == content_hash(last):
        return 0
    before = current_row(sqlite, last.id)
    seq = write(sqlite, replace(whole, recorded_at=from_ms(to_ms(last.recorded_at) + 1)))
    if before is None or before.is_adopted:
        sqlite.execute("INSERT INTO adopted (seq) VALUES (?)", [seq])
    return 1


def _is_later(record: Record, said: str, latest_ms: int, current: Current | None) -> bool:
    """Return whether a record counts against what is known; all journals decide alike."""
    noted_ms = to_ms(record.recorded_at)
    if noted_ms != latest_ms or current is None:
        return noted_ms > latest_ms
    # Both were noted in one millisecond: any order will do that is the same everywhere.
    return said > current.said


def _insert(sqlite: sqlite3.Connection, record: Record) -> None:
    sqlite.execute("INSERT INTO adopted (seq) VALUES (?)", [insert(sqlite, record)])
