"""Compares evidence and archived decisions with the chain: stakes are computed from evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.chain import Item
from freqtrade_mem0.journal.evidence.ids import id_of, stored_id
from freqtrade_mem0.journal.evidence.kinds import EVIDENCE_KINDS
from freqtrade_mem0.journal.evidence.read import EvidenceReader
from freqtrade_mem0.journal.evidence.rows import facts_of
from freqtrade_mem0.journal.evidence.sources import OnFile
from freqtrade_mem0.journal.old_decisions import SELECT, old_decision
from freqtrade_mem0.records.codec import decode, encode, hash_of
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.retraction import retraction_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from freqtrade_mem0.journal.chain_packed import LastItems, Ranges
    from freqtrade_mem0.records.decision import Decision

_PAGE = 1_000
_EVIDENCE = """
    SELECT e.seq, e.id, e.is_current, r.is_current, e.is_archived, e.facts, s.kind, s.category,
    s.user_id, s.strategy, s.mode, s.run_id, w.word, e.known_ms, e.recorded_ms,
    body_of(e.seq, coalesce(r.body, ''))
    FROM evidence AS e JOIN scopes AS s ON s.number = e.scope JOIN words AS w ON w.number = e.pair
    LEFT JOIN records AS r ON r.seq = e.seq WHERE e.seq > ? ORDER BY e.seq LIMIT ?
"""

CHANGED = "it says something else than when it was written: it was changed in the file"
SWITCHED = (
    "it counts, or does not count, against what was written after it: that was switched in the file"
)
DELETED = (
    "it was written, and no deletion by freqtrade-mem0 was noted: it was taken out of the file"
)

Found = tuple[int, str, str]
"""Number of an item, what does not fit, and what that means."""


def old_decision_item(seq: int, decision: Decision) -> Item:
    """Return the item of an archived decision."""
    return Item(chain.OLD_DECISION, seq, chain.text_digest(encode(decision)))


def check_evidence(
    sqlite: sqlite3.Connection, last: LastItems, archived: Ranges, gone: Ranges
) -> Iterator[Found]:
    """Yield evidence that is not what its record says, and archived records that were changed.

    Of an archived record whose body `salvage` could not save nothing can be compared.
    """
    words = dict(sqlite.execute("SELECT word, number FROM words").fetchall())
    seq = 0
    while rows := sqlite.execute(_EVIDENCE, [seq, _PAGE]).fetchall():
        for seq, stored, is_current, of_row, is_archived, facts, kind, *columns, body in rows:
            record_id = id_of(stored)
            what = f"row {seq} of records (evidence of {record_id})"
            item = last.take(chain.RECORD, seq) if is_archived and seq in archived else None
            if is_archived and item is None:
                yield 0, what, DELETED
            if of_row is not None and of_row != is_current:
                yield 0, what, SWITCHED
            if body and not _fits(kind, body, facts, words):
                yield (item or (0,))[0], what, CHANGED
            if item is not None and of_row is None and seq not in gone:
                category, *rest = columns
                values = (record_id, _hash(kind, body), kind, category, *rest)
                if chain.record_digest(values) != item[1]:
                    yield item[0], what, CHANGED


def lost_bodies(sqlite: sqlite3.Connection) -> list[int]:
    """Return the archived records whose bodies are gone."""
    rows = sqlite.execute(
        "SELECT seq FROM evidence WHERE is_archived = 1 AND body_of(seq, '') = ''"
    )
    return [seq for (seq,) in rows]


def check_validity(sqlite: sqlite3.Connection) -> Iterator[Found]:
    """Yield records that were made valid or invalid by hand."""
    rows = sqlite.execute(
        "SELECT seq, id, is_current FROM evidence AS each WHERE is_current = EXISTS"
        " (SELECT 1 FROM evidence WHERE id = each.id AND seq > each.seq)"
    ).fetchall()
    for seq, stored, is_current in rows:
        retracted = sqlite.execute(
            "SELECT 1 FROM evidence WHERE id = ?", [stored_id(retraction_id(id_of(stored)))]
        ).fetchone()
        if is_current or retracted is None:
            yield 0, f"row {seq} of records ({id_of(stored)})", SWITCHED


def check_old_decisions(sqlite: sqlite3.Connection, last: LastItems) -> Iterator[Found]:
    """Yield archived decisions that were changed."""
    words = EvidenceReader(OnFile(sqlite)).words
    for seq, stored in sqlite.execute("SELECT seq, id FROM old_decisions ORDER BY seq").fetchall():
        last.take(chain.DECISION, seq)
        written = last.take(chain.OLD_DECISION, seq)
        what = f"archived decision {seq} ({id_of(stored)})"
        row = sqlite.execute(f"{SELECT} d.seq = ?", [seq]).fetchone()
        try:
            item = old_decision_item(seq, old_decision(row, words)) if row else None
        except RecordError:
            item = None
        if written is None or item is None or item.digest != written[1]:
            yield (written or (0,))[0], what, CHANGED


def _fits(kind: str, body: str, facts: bytes | None, words: dict[str, int]) -> bool:
    """Return whether evidence says what the record says; a record that can not be read is none."""
    try:
        record = decode(kind, body)
    except RecordError:
        return True  # that is found where rows are compared
    if facts is None:
        return kind not in EVIDENCE_KINDS
    try:
        whole = encode(record)
        return facts in (facts_of(record, words.__getitem__, whole)[0], whole.encode())
    except KeyError:
        return False  # a word is missing


def _hash(kind: str, body: str) -> str:
    return hash_of(body, record_types()[kind].added_later)
