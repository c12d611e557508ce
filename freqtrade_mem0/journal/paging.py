"""Reads current records of a scope in order of arrival, a page of rows at a time.

Evidence says which rows there are, wherever their bodies are now. Between two pages the file is
free: a reader of a large journal holds up no other thread.
"""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.ids import id_of, stored_id
from freqtrade_mem0.journal.evidence.read import in_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freqtrade_mem0.journal.connection import Connection
    from freqtrade_mem0.journal.scope import Scope

PAGE_ROWS = 1_000
"""Rows that are read at once."""

FEW_ROWS = 10_000
"""Walking over at most this many rows of the journal is faster than reading the scope's index."""

Row = tuple[int, str, str, str, str]
"""Number, id, kind, JSON and content hash of a record; of an archived one, the hash's beginning."""

_IDS_AT_ONCE = 500

_ROWS = """
    SELECT e.seq, e.id, coalesce(r.kind, s.kind), iif(r.body <> '', r.body, body_of(e.seq, '')),
    coalesce(r.content_hash, lower(hex(e.said)))
    FROM evidence AS e NOT INDEXED CROSS JOIN scopes AS s ON s.number = e.scope
    LEFT JOIN records AS r ON r.seq = e.seq WHERE e.is_current = 1 AND
"""


def newest(connection: Connection, scope: Scope, after_seq: int, limit: int) -> list[Row]:
    """Return the newest rows of a scope, at most `limit`, in order of arrival."""
    where, values = in_scope(scope)
    few = f"SELECT seq FROM evidence WHERE {where} AND +seq > ? LIMIT {PAGE_ROWS}"  # noqa: S608
    seqs = [seq for (seq,) in connection.rows(few, [*values, after_seq])]
    if len(seqs) < PAGE_ROWS:  # a walk over the rows of all others would take longer
        return of_seqs(connection, seqs)[-limit:] if seqs and limit > 0 else []
    where, values = in_scope(scope, prefix="e.")
    query = f"{_ROWS} e.seq > ? AND {where} ORDER BY e.seq DESC LIMIT ?"
    return _rows(connection, query, [after_seq, *values, limit])[::-1]


def pages(connection: Connection, scope: Scope, after_seq: int) -> Iterator[list[Row]]:
    """Yield the rows of a scope that arrived after a row, in order of arrival, page by page."""
    where, values = in_scope(scope, prefix="e.")
    (last,) = connection.row("SELECT coalesce(max(seq), 0) FROM evidence")
    if scope.user_id is not None and last - after_seq > FEW_ROWS:
        # A scope in a large journal: what an index lists, instead of walking over all rows.
        seqs = _listed(connection, scope, after_seq, last)
        for first in range(0, len(seqs), PAGE_ROWS):
            yield of_seqs(connection, seqs[first : first + PAGE_ROWS].tolist())
        after_seq = last
    # SQLite would take the scope's index, read all it lists, and sort it for every page.
    query = f"{_ROWS} e.seq > ? AND {where} ORDER BY e.seq LIMIT {PAGE_ROWS}"
    while rows := _rows(connection, query, [after_seq, *values]):
        yield rows
        after_seq = rows[-1][0]
        if len(rows) < PAGE_ROWS:
            return


def counts(connection: Connection, scope: Scope) -> dict[tuple[str, str, str], int]:
    """Count the records of a scope; see `Journal.counts`."""
    where, values = in_scope(scope)
    # An owner has most of the rows: one walk over all takes half as long as the scope's index.
    how = "NOT INDEXED" if scope.strategy is None and scope.run_id is None else ""
    rows = connection.rows(
        "SELECT kind, category, mode, sum(n) FROM (SELECT scope, count(*) AS n"  # noqa: S608 - as above
        f" FROM evidence {how} WHERE is_current = 1 AND {where} GROUP BY scope)"
        " JOIN scopes ON number = scope"
        " GROUP BY kind, category, mode ORDER BY kind, category, mode",
        values,
    )
    return {(kind, category, mode): count for kind, category, mode, count in rows}


def of_seqs(connection: Connection, seqs: Sequence[int]) -> list[Row]:
    """Return the rows of some current records, in order of arrival."""
    listed = "e.seq IN (SELECT value FROM json_each(?)) ORDER BY e.seq"
    query = f"{_ROWS} {listed}"
    return _rows(connection, query, [json.dumps(list(seqs))])


def of_ids(connection: Connection, ids: Sequence[str]) -> list[Row]:
    """Return the rows that are current under some ids, in order of arrival."""
    seqs: list[int] = []
    for start in range(0, len(ids), _IDS_AT_ONCE):
        some = [stored_id(each) for each in ids[start : start + _IDS_AT_ONCE]]
        query = (
            "SELECT seq FROM evidence WHERE is_current = 1"  # noqa: S608 - only question marks
            f" AND id IN ({', '.join('?' * len(some))})"
        )
        seqs += [seq for (seq,) in connection.rows(query, some)]
    return of_seqs(connection, seqs)


def _listed(connection: Connection, scope: Scope, after_seq: int, last: int) -> array[int]:
    """Return the row numbers of a scope, where possible from its index alone, current or not."""
    where, values = in_scope(scope)
    # The plus keeps SQLite from walking over the table after all.
    query = f"SELECT seq FROM evidence WHERE {where} AND +seq > ? AND +seq <= ?"  # noqa: S608
    rows = connection.rows(query, [*values, after_seq, last])
    return array("q", sorted(seq for (seq,) in rows))


def _rows(connection: Connection, query: str, values: Sequence[object]) -> list[Row]:
    rows = connection.rows(query, values)
    return [(seq, id_of(stored), kind, body, said) for seq, stored, kind, body, said in rows]
