"""How decisions, and the trades that they became, are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.chain import DECISION, Item, decision_digest
from freqtrade_mem0.journal.old_decisions import drop_old
from freqtrade_mem0.journal.rows import INSERT_DECISION, INSERT_OR_UPDATE_DECISION

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Collection, Mapping

    from freqtrade_mem0.journal.rows import Row

_NO_TIE = (None, None)


def append_decisions(
    sqlite: sqlite3.Connection, rows: Mapping[str, Row], ties: Mapping[str, tuple[str, int]]
) -> list[Item]:
    """Write decisions, and the trades that these or earlier ones became; return their items.

    Decisions that were never noted before, which most are, go to SQLite in bulk.
    """
    # A backtest that is repeated decides again what was archived meanwhile.
    chain.note_gone(sqlite, "decisions", drop_old(sqlite, rows.values()), "decided again")
    known = _known(sqlite, rows)
    # In a backtest both come together, and two writes to one row become one.
    whole = {each: (*row, *ties.get(each, _NO_TIE)) for each, row in rows.items()}
    items = _append_fresh(sqlite, [row for each, row in whole.items() if each not in known])
    for decision_id in rows:
        if decision_id in known:
            row = whole[decision_id]
            for seq, *tied in sqlite.execute(INSERT_OR_UPDATE_DECISION, row).fetchall():
                items.append(Item(DECISION, seq, decision_digest((*rows[decision_id], *tied))))
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


def _known(sqlite: sqlite3.Connection, ids: Collection[str]) -> set[str]:
    query = "SELECT id FROM decisions WHERE id IN (SELECT value FROM json_each(?))"
    return {found for (found,) in sqlite.execute(query, [json.dumps(list(ids))])}


def _append_fresh(
    sqlite: sqlite3.Connection, fresh: list[tuple[str | int | None, ...]]
) -> list[Item]:
    (last_seq,) = sqlite.execute("SELECT coalesce(max(seq), 0) FROM decisions").fetchone()
    sqlite.executemany(INSERT_DECISION, fresh)
    seqs = sqlite.execute("SELECT seq FROM decisions WHERE seq > ? ORDER BY seq", [last_seq])
    return [
        Item(DECISION, seq, decision_digest(row)) for (seq,), row in zip(seqs, fresh, strict=True)
    ]
