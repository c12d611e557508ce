"""Writes the rows of evidence, in the transaction that writes the records."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from freqtrade_mem0.journal.evidence.facts import numbered, packed_trade, parts_of
from freqtrade_mem0.journal.evidence.ids import stored_id
from freqtrade_mem0.journal.evidence.kinds import WHOLE_KINDS
from freqtrade_mem0.journal.evidence.numbers import short
from freqtrade_mem0.journal.evidence.words import ScopeRow, Words
from freqtrade_mem0.records.base import from_ms, to_ms
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Sequence

    from freqtrade_mem0.journal.evidence.facts import Parts
    from freqtrade_mem0.journal.evidence.numbers import BriefOf
    from freqtrade_mem0.journal.evidence.trade import TradeEvidence
    from freqtrade_mem0.journal.rows import Row as RecordRow
    from freqtrade_mem0.records.base import Origin, Record

COLUMNS = "seq, id, scope, pair, known_ms, recorded_ms, said, facts, checksum"

SAID_DIGITS = 32
"""Hexadecimal digits of a record's content hash that evidence keeps."""

_FRAGMENTS = tuple(
    (chr(number), fragment)
    for number, fragment in enumerate(
        ('"event_type":"', '","description":"', '","impact":', ',"pair":"', '","response":"'), 1
    )
)
"""Control characters, which no JSON has, and what they stand for in facts that are JSON."""

Row = tuple[int | str | bytes | None, ...]

INSERT_EVIDENCE = (
    f"INSERT OR REPLACE INTO evidence ({COLUMNS}, is_current)"  # noqa: S608 - fixed names
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def add_evidence(
    sqlite: sqlite3.Connection, records: Iterable[tuple[int, tuple[RecordRow, Parts | bytes]]]
) -> None:
    """Write the evidence of current records: the number of their row, the row, plain facts."""
    words = Words(sqlite)
    rows = [(*_numbered_row(words, seq, *ready), 1) for seq, ready in records]
    sqlite.executemany(INSERT_EVIDENCE, rows)


def copy_evidence(sqlite: sqlite3.Connection, seq: int, copy_seq: int) -> None:
    """Write a row's evidence once more, for the record's row `copy_seq`, which is current now."""
    columns = COLUMNS.removeprefix("seq, ")
    sqlite.execute(
        f"INSERT INTO evidence (seq, {columns}, is_current)"  # noqa: S608 - fixed names
        f" SELECT ?, {columns}, 1 FROM evidence WHERE seq = ?",
        [copy_seq, seq],
    )


def outdate(sqlite: sqlite3.Connection, record_id: str) -> int:
    """Let the evidence of a record no longer count; return 1 if there was some."""
    return sqlite.execute(
        "UPDATE evidence SET is_current = 0 WHERE id = ? AND is_current = 1", [stored_id(record_id)]
    ).rowcount


def unreadable_row(words: Words, seq: int, columns: Sequence[str | int]) -> Row:
    """Return the evidence of a record's row that can not be read.

    Whoever follows the journal then takes an earlier version out. `columns` are id, content hash,
    user, strategy, mode, run id, kind, category, pair, `known_ms` and `recorded_ms`.
    """
    record_id, said, *texts, pair, known_ms, recorded_ms = columns
    scope = ScopeRow(*map(str, texts))
    try:
        stored_said = bytes.fromhex(str(said)[:SAID_DIGITS])
    except ValueError:
        stored_said = b""
    scope_number, scope_checksum = words.scope(scope)
    pair_number = words.number(str(pair))
    row = (stored_id(str(record_id)), scope_number, pair_number, known_ms, recorded_ms)
    whole = (*row, stored_said, None)
    return (seq, *whole, checksum(scope_checksum, whole, [str(pair)]))


def checksum(
    scope_checksum: int, row: Sequence[int | str | bytes | None], texts: Sequence[str]
) -> int:
    """Return the checksum of a row's columns from `id` to `facts`, and of the words in it."""
    stored, _, _, known_ms, recorded_ms, said, facts = row
    total = crc32(b"" if facts is None else facts, scope_checksum)  # type: ignore[arg-type]
    total = crc32(said, total)  # type: ignore[arg-type]
    total = crc32(stored.encode() if isinstance(stored, str) else stored, total)  # type: ignore[arg-type]
    return crc32("\0".join([str(known_ms), str(recorded_ms), *texts]).encode(), total)


def evidence_row(words: Words, seq: int, record: Record, written: RecordRow) -> Row:
    """Return the evidence of a record, given with its row and its number."""
    return _numbered_row(words, seq, written, plain_facts(record, str(written[-1])))


def _numbered_row(words: Words, seq: int, written: RecordRow, plain: Parts | bytes) -> Row:
    record_id, said, kind, category, *own, pair, known_ms, recorded_ms, _ = written
    facts, texts = (plain, []) if isinstance(plain, bytes) else numbered(plain, words.number)
    scope, scope_checksum = words.scope((*own, kind, category))  # type: ignore[arg-type]
    row = (
        stored_id(str(record_id)),
        scope,
        words.number(str(pair)),
        known_ms,
        recorded_ms,
        bytes.fromhex(str(said)[:SAID_DIGITS]),
        facts,
    )
    return (seq, *row, checksum(scope_checksum, row, [str(pair), *texts]))


def add_trade(sqlite: sqlite3.Connection, seq: int, trade: TradeEvidence, is_current: int) -> None:
    """Write the evidence of an archived trade whose record is gone."""
    words, origin = Words(sqlite), trade.origin
    category = str(TradeRecord.default_category)
    own = (origin.user_id, origin.strategy, str(origin.mode), origin.run_id)
    scope = ScopeRow(*own, TradeRecord.kind, category)
    scope_number, scope_checksum = words.scope(scope)
    facts, texts = packed_trade(trade, trade.unknown, trade.said_without_execution, words.number)
    row = (
        stored_id(trade.id),
        scope_number,
        words.number(trade.pair),
        to_ms(trade.known_at),
        to_ms(trade.recorded_at),
        bytes.fromhex(trade.said),
        facts,
    )
    written = (seq, *row, checksum(scope_checksum, row, [trade.pair, *texts]), is_current)
    sqlite.execute(INSERT_EVIDENCE, written)
    sqlite.execute("UPDATE evidence SET is_archived = 1 WHERE seq = ?", [seq])


def facts_of(record: Record, number: Callable[[str], int], body: str) -> tuple[bytes, list[str]]:
    """Return the facts of a record, given with its JSON, and the words in them.

    `number` gives a word's number.
    """
    plain = plain_facts(record, body)
    return (plain, []) if isinstance(plain, bytes) else numbered(plain, number)


def plain_facts(record: Record, body: str, brief_of: BriefOf = short) -> Parts | bytes:
    """Return the facts of a record, given with its JSON; of a trade before words have numbers.

    `brief_of` is `numbers.short`, or looks its result up.
    """
    if isinstance(record, TradeRecord):
        without = ""
        if record.execution is not None:
            without = content_hash(replace(record, execution=None))[: SAID_DIGITS // 2]
        unknown = () if record.told is None else record.told.unknown
        return parts_of(record, unknown, without, brief_of)
    if record.kind not in WHOLE_KINDS:
        return b""
    whose, when = _heading(
        record.id, record.origin, to_ms(record.known_at), to_ms(record.recorded_at)
    )
    brief = body.removeprefix(whose).removeprefix(when)
    for mark, fragment in _FRAGMENTS:
        brief = brief.replace(fragment, mark)
    return brief.encode()


def whole_json(
    facts: bytes, record_id: str, origin: Origin, known_ms: int, recorded_ms: int
) -> str:
    """Return the JSON of a record that is evidence as a whole."""
    text = facts.decode()
    for mark, fragment in _FRAGMENTS:
        text = text.replace(mark, fragment)
    if text.startswith("{"):
        return text
    whose, when = _heading(record_id, origin, known_ms, recorded_ms)
    return f"{whose}{text}" if text.startswith('"known_at"') else f"{whose}{when}{text}"


def _heading(record_id: str, origin: Origin, known_ms: int, recorded_ms: int) -> tuple[str, str]:
    """Return how a record's JSON begins, as other columns say; its times if they are whole ms."""
    known, recorded = (
        from_ms(each).isoformat().replace("+00:00", "Z") for each in (known_ms, recorded_ms)
    )
    whose = f'{{"id":{_as_json(record_id)},"origin":{_origin_json(origin)},'
    return whose, f'"known_at":"{known}","recorded_at":"{recorded}",'


@lru_cache
def _origin_json(origin: Origin) -> str:
    return _as_json(asdict(origin))


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
