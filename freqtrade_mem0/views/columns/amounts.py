"""Reads what trades won in stake currency, and the stakes that were decided for them."""

from __future__ import annotations

import json
import struct
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.evidence.ids import id_of, stored_id
from freqtrade_mem0.journal.evidence.many import in_parts
from freqtrade_mem0.journal.numbers_in_json import (
    PAID_KEY,
    STAKES_KEY,
    Decided,
    Paid,
    decided_in,
    paid_in,
    part_from,
)
from freqtrade_mem0.journal.old_decisions import numbers_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freqtrade_mem0.journal.connection import Connection

COLUMNS = "seq, id, scope, pair, known_ms, facts"
"""Of the rows of evidence that `amounts_of` takes."""

_UNKNOWN_PROFIT = "profit_abs"
_IDS_AT_ONCE = 500
_OLD_AT_ONCE = 20_000


def amounts_of(
    connection: Connection, rows: Sequence[Sequence[Any]], words: Mapping[int, str]
) -> tuple[list[tuple[int, Paid]], list[tuple[int, Decided]]]:
    """Return what trades won and what was decided, by the rows of their evidence.

    Each of `rows` has `COLUMNS`.
    """
    won = paid(connection, [row[0] for row in rows])
    parts = list(in_parts([row[-1] for row in rows], words))
    decided = stakes(connection, [each for part in parts for each in part.decisions])
    found = []
    for part in parts:
        for place, decision in zip(part.places.tolist(), part.decisions, strict=False):
            known = decided.get(id_of(decision))
            if known is not None:
                found.append((rows[place][0], known))
        if _UNKNOWN_PROFIT in part.unknown:
            for place in part.places.tolist():
                won.pop(rows[place][0], None)
    return list(won.items()), found


def paid(connection: Connection, seqs: Sequence[int]) -> dict[int, Paid]:
    """Return the amounts of trades by their rows of records; only where they are still kept."""
    body = "iif(length(r.body) > 0, r.body, body_of(j.value, ''))"
    query = (
        f"SELECT j.value, {part_from(body, PAID_KEY)} FROM json_each(?) AS j"  # noqa: S608
        " LEFT JOIN records AS r ON r.seq = j.value"
    )
    found = {}
    for seq, body in connection.rows(query, [json.dumps(list(seqs))]):
        amounts = paid_in(body or "")
        if amounts is not None:
            found[seq] = amounts
    return found


def stakes(connection: Connection, ids: Sequence[bytes | str]) -> dict[str, Decided]:
    """Return the stakes of decisions by their ids."""
    found = {}
    names = [id_of(each) for each in ids]
    for first in range(0, len(names), _IDS_AT_ONCE):
        some = names[first : first + _IDS_AT_ONCE]
        body = part_from("iif(length(body) > 0, body, body_of(-seq, ''))", STAKES_KEY)
        query = (
            f"SELECT id, {body} FROM decisions"  # noqa: S608 - values are bound
            f" WHERE id IN ({', '.join('?' * len(some))})"
        )
        for decision_id, body in connection.rows(query, some):
            known = decided_in(body or "")
            if known is not None:
                found[decision_id] = known
    return found


def old_stakes(connection: Connection) -> Iterator[list[tuple[int, Decided]]]:
    """Yield the stakes of archived decisions by the row of their trade's evidence, in pages."""
    after = 0
    query = """
        SELECT o.seq, e.seq, o.facts FROM old_decisions AS o
        JOIN evidence AS e ON e.id = o.trade_id AND e.is_current = 1
        WHERE o.seq > ? ORDER BY o.seq LIMIT ?
    """
    while rows := connection.rows(query, [after, _OLD_AT_ONCE]):
        after = rows[-1][0]
        page = []
        for _, seq, facts in rows:
            try:
                applied, proposed, _, stake = numbers_of(facts)
            except struct.error:
                continue
            if min(proposed, stake) > 0.0:
                page.append((seq, Decided(proposed, stake, float(applied))))
        yield page


def decided_again(
    connection: Connection, new: tuple[int, int], last_seq: int
) -> Iterator[list[Any]]:
    """Yield the trades up to a row of evidence whose decisions were noted lately, in pages.

    Parameters
    ----------
    new
        After which entry of the chain, and up to which.
    last_seq
        The row.
    """
    query = """
        SELECT DISTINCT d.trade_id FROM chain JOIN decisions AS d ON d.seq = chain.row
        WHERE n > ? AND n <= ? AND chain.kind = ? AND d.trade_id IS NOT NULL
    """
    found = connection.rows(query, [*new, chain.DECISION])
    ids = [stored_id(trade_id) for (trade_id,) in found]
    for first in range(0, len(ids), _IDS_AT_ONCE):
        some = ids[first : first + _IDS_AT_ONCE]
        query = (
            f"SELECT {COLUMNS} FROM evidence WHERE seq <= ? AND is_current = 1"  # noqa: S608 - values are bound
            f" AND id IN ({', '.join('?' * len(some))})"
        )
        if rows := connection.rows(query, [last_seq, *some]):
            yield rows
