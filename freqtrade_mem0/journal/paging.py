"""Reads current records of a scope in order of arrival, a page of rows at a time.

Between two pages the file is free: a reader of a large journal holds up no other thread.
"""

from __future__ import annotations

import json
from array import array
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.journal.connection import Connection
    from freqtrade_mem0.journal.scope import Scope

PAGE_ROWS = 1_000
"""Rows that are read at once."""

FEW_ROWS = 10_000
"""Walking over at most this many rows of the journal is faster than reading the scope's index."""

Row = tuple[int, str, str, str, str]
"""Number, id, kind, JSON and content hash of a record."""


def newest(connection: Connection, scope: Scope, after_seq: int, limit: int) -> list[Row]:
    """Return the newest rows of a scope, at most `limit`, in order of arrival."""
    where, values = scope.where()
    query = f"""
        SELECT seq, id, kind, body, content_hash FROM records
        WHERE is_current = 1 AND seq > ? AND {where} ORDER BY seq DESC LIMIT ?
    """  # noqa: S608 - a scope's condition has fixed column names, values are bound
    return connection.rows(query, [after_seq, *values, limit])[::-1]


def pages(connection: Connection, scope: Scope, after_seq: int) -> Iterator[list[Row]]:
    """Yield the rows of a scope that arrived after a row, in order of arrival, page by page."""
    (last,) = connection.row("SELECT coalesce(max(seq), 0) FROM records")
    if scope.user_id is not None and last - after_seq > FEW_ROWS:
        # A scope in a large journal: what an index lists, instead of walking over all rows.
        seqs = _listed(connection, scope, after_seq, last)
        for first in range(0, len(seqs), PAGE_ROWS):
            yield _rows_at(connection, scope, seqs[first : first + PAGE_ROWS])
        after_seq = last
    where, values = scope.where()
    # SQLite would take the scope's index, read all it lists, and sort it for every page.
    query = f"""
        SELECT seq, id, kind, body, content_hash FROM records NOT INDEXED
        WHERE seq > ? AND is_current = 1 AND {where} ORDER BY seq LIMIT {PAGE_ROWS}
    """  # noqa: S608 - as above
    while True:
        rows: list[Row] = connection.rows(query, [after_seq, *values])
        if not rows:
            return
        yield rows
        after_seq = rows[-1][0]
        if len(rows) < PAGE_ROWS:
            return


def _listed(connection: Connection, scope: Scope, after_seq: int, last: int) -> array[int]:
    """Return the row numbers of a scope, where possible from its index alone, current or not."""
    where, values = scope.where()
    # The plus keeps SQLite from walking over the table after all.
    query = f"SELECT seq FROM records WHERE {where} AND +seq > ? AND +seq <= ?"  # noqa: S608
    with connection.read() as sqlite:
        rows = sqlite.execute(query, [*values, after_seq, last])
        return array("q", sorted(seq for (seq,) in rows))


def _rows_at(connection: Connection, scope: Scope, seqs: array[int]) -> list[Row]:
    where, values = scope.where()
    query = f"""
        SELECT seq, records.id, kind, body, content_hash FROM json_each(?) AS listed
        CROSS JOIN records NOT INDEXED ON seq = listed.value
        WHERE is_current = 1 AND {where} ORDER BY seq
    """  # noqa: S608 - as above
    return connection.rows(query, [json.dumps(seqs.tolist()), *values])
