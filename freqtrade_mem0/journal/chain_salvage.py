"""Takes the chain of hashes of a damaged journal into the new one, as far as it is unbroken."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.chain import Head, Item, Table, linked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Sequence

    Rows = Iterable[Sequence[Any]]

_KINDS: dict[Table, int] = {"records": chain.RECORD, "decisions": chain.DECISION}
_ARCHIVES: dict[Table, str] = {"records": "evidence", "decisions": "old_decisions"}


def carry_over(sqlite: sqlite3.Connection, items: Rows, roots: Rows, gone: Rows) -> None:
    """Write the old chain up to its last root that fits; all rows behind that follow anew.

    Rows that it names and that were not saved are noted as lost.

    Parameters
    ----------
    sqlite
        The new journal, in a writing transaction, with the rows that were saved.
    items, roots, gone
        Rows of the old tables in order, as far as they can be read; the rest may be in any order.
    """
    links = {root[2]: root for root in roots}
    read: list[Sequence[Any]] = []
    link, n_fit = Head().link, 0
    for row in items:
        if row[0] != len(read) + 1:
            break
        read.append(row)
        link = linked(link, Item(*row[1:]))
        if row[0] in links and links[row[0]][3] == link:
            n_fit = row[0]
    is_whole = n_fit == max(links, default=0)
    sqlite.executemany("INSERT INTO chain VALUES (?, ?, ?, ?)", read[:n_fit])
    sqlite.executemany(
        "INSERT INTO chain_roots VALUES (?, ?, ?, ?, ?)",
        [root for n, root in sorted(links.items()) if n <= n_fit],
    )
    deletions = [row for row in gone if row[0] <= n_fit]
    sqlite.executemany("INSERT OR IGNORE INTO chain_gone VALUES (?, ?, ?, ?)", deletions)
    last = {(kind, row): digest for _, kind, row, digest in read[:n_fit]}
    for table, kind in _KINDS.items():
        query = f"SELECT seq FROM {table} UNION SELECT seq FROM {_ARCHIVES[table]}"  # noqa: S608
        saved = {seq for (seq,) in sqlite.execute(query)}
        noted = _rows_of(read, deletions, chain.GONE[table])
        chain.note_gone(
            sqlite, table, {row for each, row in last if each == kind} - saved - noted, "lost"
        )
    chain.extend(sqlite)
    chain.extend(
        sqlite,
        [
            item
            for (seq,) in sqlite.execute("SELECT seq FROM decisions ORDER BY seq").fetchall()
            for item in chain.decision_items(sqlite, [seq])
            if (chain.DECISION, seq) not in last
            # Its item that says which trade it became may be among those that can not be read.
            or (not is_whole and last[chain.DECISION, seq] != item.digest)
        ],
    )


def _rows_of(read: list[Sequence[Any]], deletions: list[Sequence[Any]], kind: int) -> set[int]:
    """Return the rows that were deleted in order, by items of a kind."""
    return {
        row
        for n, _, why, text in deletions
        if read[n - 1][1] == kind and why != chain.ARCHIVED
        for first, last in json.loads(text)
        for row in range(first, last + 1)
    }
