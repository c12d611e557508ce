"""Archived decisions: what was proposed and decided, as numbers. Their reasons are gone."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any
from zlib import crc32

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.ids import id_of, stored_id
from freqtrade_mem0.journal.evidence.words import ScopeRow, Words
from freqtrade_mem0.records.base import from_ms, to_ms
from freqtrade_mem0.records.codec import decode_numbers
from freqtrade_mem0.records.decision import Decision, Reason

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping, Sequence

KIND = "decision"
"""In place of a record's kind in the scopes of decisions."""

GONE = "archived"
"""Name of the reason of an archived decision."""

_TEXT = (
    "the reasons, and memory's account of that day, are no longer kept: the decision was archived"
)

_NUMBERS = struct.Struct("<Bdddd")
"""Flags, proposed stake, multiplier, stake, effective number of trades."""
_NARROW, _WIDE = struct.Struct("<HHHH"), struct.Struct("<IIII")
"""n_asked, then side, tag and policy as words."""
_RATIO = struct.Struct("<d")
_APPLIED, _EXPECTED, _IS_WIDE = 1, 2, 4
_MOST_NARROW = 1 << 16

COLUMNS = "seq, id, scope, pair, decided_ms, open_ms, trade_id, checksum, facts"
INSERT = f"INSERT INTO old_decisions ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608

SELECT = """
    SELECT d.seq, d.id, d.scope, d.pair, d.decided_ms, d.open_ms, d.trade_id, d.checksum, d.facts,
    s.user_id, s.strategy, s.mode, s.run_id, s.kind, s.category
    FROM old_decisions AS d JOIN scopes AS s ON s.number = d.scope WHERE
"""


def reduced(body: str, *, trade_id: str, open_ms: int | None) -> Decision:
    """Return what is left of a decision that became a trade once it is archived, from its JSON.

    Raises `RecordError` where its numbers can not be read.
    """
    numbers = decode_numbers(body)
    return Decision(
        **numbers
        | {
            "decided_at": from_ms(to_ms(numbers["decided_at"])),
            "reasons": _reasons(numbers["multiplier"]),
            "trade_id": trade_id,
            "open_date": None if open_ms is None else from_ms(open_ms),
        }
    )


def add_old_decisions(
    sqlite: sqlite3.Connection, decisions: Iterable[tuple[int, Decision]]
) -> None:
    """Write the numbers of reduced decisions, by their row numbers, in the caller's transaction."""
    words = Words(sqlite)
    sqlite.executemany(INSERT, [_row(words, seq, decision) for seq, decision in decisions])


def _row(words: Words, seq: int, decision: Decision) -> tuple[Any, ...]:
    origin = decision.origin
    scope = ScopeRow(origin.user_id, origin.strategy, str(origin.mode), origin.run_id, KIND, "")
    texts = [decision.pair, decision.side, decision.enter_tag, decision.policy]
    expected = decision.expected_ratio
    counted = [decision.n_asked, *(words.number(text) for text in texts[1:])]
    is_wide = max(counted) >= _MOST_NARROW
    facts = _NUMBERS.pack(
        _APPLIED * decision.applied | _EXPECTED * (expected is not None) | _IS_WIDE * is_wide,
        decision.proposed_stake,
        decision.multiplier,
        decision.stake,
        decision.n_effective,
    )
    facts += (_WIDE if is_wide else _NARROW).pack(*counted)
    facts += b"" if expected is None else _RATIO.pack(expected)
    row = (
        seq,
        stored_id(decision.id),
        words.scope(scope)[0],
        words.number(decision.pair),
        to_ms(decision.decided_at),
        None if decision.open_date is None else to_ms(decision.open_date),
        None if decision.trade_id is None else stored_id(decision.trade_id),
    )
    return (*row, _checksum(row, facts, scope, texts), facts)


def drop_old(sqlite: sqlite3.Connection, rows: Iterable[Sequence[Any]]) -> list[int]:
    """Delete the numbers of archived decisions that are written again; return their row numbers.

    `rows` are those of `rows.decision_row`.
    """
    scopes: dict[tuple[Any, ...], Any] = {}
    dropped = []
    for decision_id, *origin, _, _, decided_ms, _ in rows:
        own = tuple(origin)
        if own not in scopes:
            scopes[own] = sqlite.execute(
                "SELECT number FROM scopes WHERE user_id = ? AND strategy = ? AND mode = ?"
                " AND run_id = ? AND kind = ? AND category = ''",
                [*own, KIND],
            ).fetchone()
        if scopes[own] is not None:
            dropped += sqlite.execute(
                "DELETE FROM old_decisions WHERE scope = ? AND decided_ms = ? AND id = ?"
                " RETURNING seq",
                [*scopes[own], decided_ms, stored_id(decision_id)],
            ).fetchall()
    return [seq for (seq,) in dropped]


def words_of_old(facts: bytes) -> tuple[int, ...]:
    """Return the numbers of the words in an archived decision's facts."""
    return _counted(facts)[1:]


def numbers_of(facts: bytes) -> tuple[bool, float, float, float]:
    """Return whether a decision was applied, its proposed stake, multiplier and stake."""
    flags, proposed, multiplier, stake, _ = _NUMBERS.unpack_from(facts)
    return bool(flags & _APPLIED), proposed, multiplier, stake


def _counted(facts: bytes) -> tuple[int, ...]:
    layout = _WIDE if facts[0] & _IS_WIDE else _NARROW
    counted: tuple[int, ...] = layout.unpack_from(facts, _NUMBERS.size)
    return counted


def old_decision(row: Sequence[Any], words: Mapping[int, str]) -> Decision:
    """Return the decision in a row of `SELECT`; raise `RecordError` where the row was changed."""
    seq, stored, scope_number, pair, decided_ms, open_ms, trade, written, facts, *texts = row
    try:
        flags, proposed, multiplier, stake, n = _NUMBERS.unpack_from(facts)
        n_asked, *numbers = _counted(facts)
        named = [words[number] for number in (pair, *numbers)]
        scope = ScopeRow(*texts)
        columns = (seq, stored, scope_number, pair, decided_ms, open_ms, trade)
        is_changed = _checksum(columns, facts, scope, named) != written
        at_end = len(facts) - _RATIO.size
        expected = _RATIO.unpack_from(facts, at_end)[0] if flags & _EXPECTED else None
        origin = scope.origin
    except (KeyError, ValueError, TypeError, IndexError, struct.error) as error:
        raise RecordError(
            f"The archived decision {stored!r} was changed since it was written."
        ) from error
    if is_changed:
        raise RecordError(f"The archived decision {id_of(stored)} was changed.")
    return Decision(
        id=id_of(stored),
        origin=origin,
        decided_at=from_ms(decided_ms),
        pair=named[0],
        side=named[1],
        enter_tag=named[2],
        proposed_stake=proposed,
        multiplier=multiplier,
        stake=stake,
        applied=bool(flags & _APPLIED),
        policy=named[3],
        n_effective=n,
        reasons=_reasons(multiplier),
        expected_ratio=expected,
        n_asked=n_asked,
        trade_id=None if trade is None else id_of(trade),
        open_date=None if open_ms is None else from_ms(open_ms),
    )


def _reasons(multiplier: float) -> tuple[Reason, ...]:
    return (Reason(name=GONE, text=_TEXT, effect=multiplier - 1.0),)


def _checksum(row: Sequence[object], facts: bytes, scope: ScopeRow, texts: Sequence[str]) -> int:
    return crc32(repr((*row[:2], *row[4:], *texts)).encode(), crc32(facts, scope.checksum))
