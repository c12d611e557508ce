"""Records and decisions as rows of the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.codec import encode, hash_of

if TYPE_CHECKING:
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.decision import Decision

Row = tuple[str | int, ...]
"""Values in the order of the statement that inserts them: plain `str` and `int`, as each value of a
subclass would cost SQLite's adapters a look."""

INSERT_RECORD = (
    "INSERT INTO records (id, content_hash, is_current, kind, category, user_id, strategy,"
    " mode, run_id, pair, known_ms, recorded_ms, body)"
    " VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

COPY_RECORD = (
    "INSERT INTO records (id, content_hash, is_current, kind, category, user_id, strategy,"
    " mode, run_id, pair, known_ms, recorded_ms, body)"
    " SELECT id, content_hash, 1, kind, category, user_id, strategy, mode, run_id, pair, known_ms,"
    " recorded_ms, body_of(seq, body) FROM records WHERE seq = ?"
)

INSERT_DECISION = (
    "INSERT INTO decisions (id, user_id, strategy, mode, run_id, pair, side, decided_ms, body,"
    " trade_id, open_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

INSERT_OR_UPDATE_DECISION = (
    f"{INSERT_DECISION} ON CONFLICT (id) DO UPDATE SET"
    " decided_ms = excluded.decided_ms, body = excluded.body,"
    " trade_id = coalesce(excluded.trade_id, trade_id),"
    " open_ms = coalesce(excluded.open_ms, open_ms)"
    " WHERE body IS NOT excluded.body OR decided_ms IS NOT excluded.decided_ms"
    " OR trade_id IS NOT coalesce(excluded.trade_id, trade_id)"
    " OR open_ms IS NOT coalesce(excluded.open_ms, open_ms)"
    " RETURNING seq, trade_id, open_ms"
)
"""It returns something only where it wrote something."""


def record_row(record: Record, body: str | None = None) -> Row:
    """Return the row of a record, for `INSERT_RECORD`; raise `RecordError` as `encode` does.

    `body` is its JSON where that was checked before.
    """
    origin = record.origin
    body = encode(record) if body is None else body
    return (
        record.id,
        hash_of(body, record.added_later),
        record.kind,
        str(record.category),
        origin.user_id,
        origin.strategy,
        str(origin.mode),
        origin.run_id,
        str(getattr(record, "pair", "")),
        to_ms(record.known_at),
        to_ms(record.recorded_at),
        body,
    )


def decision_row(decision: Decision) -> Row:
    """Return the row of a decision, for `INSERT_DECISION`, without the trade it became."""
    origin = decision.origin
    return (
        decision.id,
        origin.user_id,
        origin.strategy,
        str(origin.mode),
        origin.run_id,
        decision.pair,
        decision.side,
        to_ms(decision.decided_at),
        encode(decision),
    )
