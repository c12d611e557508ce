"""Moves old records into compressed blocks, and reduces old decisions to their numbers.

Of a record its evidence stays as it is, so no stake changes. Only trades and risk events are
archived that Mem0 has, and only decisions that no bot needs any more.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.chain import ARCHIVED, extend, note_gone
from freqtrade_mem0.journal.chain_archived import old_decision_item
from freqtrade_mem0.journal.evidence.facts import decided_by
from freqtrade_mem0.journal.evidence.ids import stored_id
from freqtrade_mem0.journal.evidence.rows import COLUMNS, SAID_DIGITS
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.old_decisions import add_old_decisions, reduced
from freqtrade_mem0.journal.stored_bodies import (
    BodyReader,
    blocked,
    compressed,
    shortened,
    unblocked,
)
from freqtrade_mem0.records.codec import hash_of
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence
    from typing import Any

    from freqtrade_mem0.journal.brief_writes import BriefWrites
    from freqtrade_mem0.journal.evidence.read import EvidenceReader
    from freqtrade_mem0.journal.journal import Journal

ROWS_PER_BLOCK = 150
_DECISIONS_PER_WRITE = 150

_GIVEN = "(SELECT value FROM json_each(?1))"
_DROP = (
    f"DELETE FROM records WHERE seq IN {_GIVEN} AND is_current = 1"  # noqa: S608 - fixed texts
    " AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.seq = records.seq)"
)


class _ChangedError(Exception):
    """A row is not any more what it was when its block was made."""


def archive_records(
    writes: BriefWrites,
    before_ms: int,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Archive the current trades and risk events made before a moment; return how many.

    Left out are those that wait for Mem0, and those whose evidence can not be read.
    """
    evidence = writes.journal.evidence
    columns = ", ".join(f"e.{name}" for name in COLUMNS.split(", "))
    query = f"""
        SELECT {columns}, s.kind, body_of(e.seq, r.body) FROM evidence AS e NOT INDEXED
        CROSS JOIN scopes AS s ON s.number = e.scope CROSS JOIN records AS r ON r.seq = e.seq
        WHERE e.seq > ? AND max(e.known_ms, e.recorded_ms) < ? AND e.is_current = 1
        AND s.kind IN (?, ?)
        AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.seq = e.seq) ORDER BY e.seq LIMIT ?
    """  # noqa: S608 - fixed names
    n_archived = seq = 0
    kinds = [TradeRecord.kind, RiskEvent.kind]
    while not writes.has_to_stop():
        bound = [seq, before_ms, *kinds, ROWS_PER_BLOCK]
        rows = writes.journal.connection.rows(query, bound)
        if not rows:
            break
        seq = rows[-1][0]
        bodies = dict(filter(None, (_brief(evidence, row) for row in rows)))
        if bodies:
            n_archived += len(bodies) if dry_run else _archive(writes, bodies)
        progress(n_archived)
    return n_archived


def _brief(evidence: EvidenceReader, row: Sequence[Any]) -> tuple[int, str] | None:
    """Return what a block keeps of a record, "" for all in its evidence; None if damaged."""
    *columns, kind, body = row
    try:
        item = evidence.item(columns)
    except RecordError:
        return None
    if hash_of(body, record_types()[kind].added_later)[:SAID_DIGITS] != columns[6].hex():
        return None
    if not isinstance(item, TradeEvidence):
        return columns[0], ""
    return columns[0], shortened(body, item)


def _archive(writes: BriefWrites, bodies: dict[int, str]) -> int:
    """Move records into a block, all or none of them."""
    trades = {seq: brief for seq, brief in bodies.items() if brief}
    block = compressed(blocked(trades)) if trades else b""
    try:
        with writes.one() as sqlite:
            if trades:
                _add_block(sqlite, trades, block)
            _drop(sqlite, list(bodies))
            note_gone(sqlite, "records", bodies, ARCHIVED)
    except _ChangedError:
        return 0  # the next cycle tries it again
    return len(bodies)


def _add_block(sqlite: sqlite3.Connection, trades: dict[int, str], block: bytes) -> None:
    first = min(trades)
    row = sqlite.execute("SELECT bodies FROM blocks WHERE first = ?", [first]).fetchone()
    if row is not None:  # its first record was revived, and is archived again
        trades = unblocked(BodyReader(sqlite).plain(row[0])) | trades
        block = compressed(blocked(trades))
    sqlite.execute(
        "INSERT OR REPLACE INTO blocks (first, last, bodies) VALUES (?, ?, ?)",
        [first, max(trades), block],
    )


def _drop(sqlite: sqlite3.Connection, seqs: list[int]) -> None:
    given = [json.dumps(seqs)]
    if sqlite.execute(_DROP, given).rowcount != len(seqs):
        raise _ChangedError
    sqlite.execute(f"DELETE FROM packed WHERE number IN {_GIVEN}", given)  # noqa: S608
    sqlite.execute(f"UPDATE evidence SET is_archived = 1 WHERE seq IN {_GIVEN}", given)  # noqa: S608


def archive_decisions(
    writes: BriefWrites,
    before_ms: int,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Reduce the decisions made before a moment to their numbers; return how many.

    Left out are those whose trade was not recorded with its decision before that moment: a bot may
    still have to tie it, and a backtest of old candles may be new. So is the newest one of each
    run, which shows memory's account.
    """
    query = """
        SELECT seq, id, body_of(-seq, body), trade_id, open_ms FROM decisions AS d NOT INDEXED
        WHERE seq > ? AND decided_ms < ? AND trade_id IS NOT NULL AND decided_ms < (
            SELECT max(decided_ms) FROM decisions AS other WHERE other.user_id = d.user_id
            AND other.strategy = d.strategy AND other.mode = d.mode AND other.run_id = d.run_id
        ) ORDER BY seq LIMIT ?
    """
    n_archived = seq = 0
    while not writes.has_to_stop():
        rows = writes.journal.connection.rows(query, [seq, before_ms, _DECISIONS_PER_WRITE])
        if not rows:
            break
        seq = rows[-1][0]
        chosen = _tied(writes.journal, rows, before_ms)
        n_archived += len(chosen) if dry_run else _reduce(writes, chosen)
        progress(n_archived)
    return n_archived


def _tied(journal: Journal, rows: Sequence[Any], before_ms: int) -> list[Any]:
    """Return the rows of decisions that the evidence of their trade names, if it is old, too."""
    query = "SELECT facts FROM evidence WHERE id = ? AND is_current = 1 AND recorded_ms < ?"
    chosen, unclear = [], []
    with journal.connection.read() as sqlite:
        for row in rows:
            found = sqlite.execute(query, [stored_id(row[3]), before_ms]).fetchone()
            named = decided_by(found[0]) if found and found[0] else None
            if named is not None and named == stored_id(row[1]):
                chosen.append(row)
            elif found and named is None:
                unclear.append(row)
    for row in unclear:  # the id of the decision is no UUID
        for _, item in journal.evidence.of_ids([row[3]]):
            if isinstance(item, TradeEvidence) and item.decision_id == row[1]:
                chosen.append(row)
    return sorted(chosen)


def _reduce(writes: BriefWrites, rows: Sequence[Sequence[Any]]) -> int:
    decisions = []
    for seq, decision_id, body, trade_id, open_ms in rows:
        try:
            decision = reduced(body, trade_id=trade_id, open_ms=open_ms)
        except RecordError:
            continue  # it can not be read; `doctor` names it
        if decision.id == decision_id:
            decisions.append((seq, decision))
    items = [old_decision_item(seq, decision) for seq, decision in decisions]
    seqs = [seq for seq, _ in decisions]
    if decisions:
        with writes.one() as sqlite:
            add_old_decisions(sqlite, decisions)
            sqlite.execute(f"DELETE FROM decisions WHERE seq IN {_GIVEN}", [json.dumps(seqs)])  # noqa: S608
            sqlite.execute(
                f"DELETE FROM packed WHERE number IN {_GIVEN}",  # noqa: S608
                [json.dumps([-seq for seq in seqs])],
            )
            note_gone(sqlite, "decisions", seqs, ARCHIVED)
            extend(sqlite, items)
    return len(decisions)
