"""Compares the rows of a journal with the chain of hashes that was made when they were written."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.chain import ARCHIVED, Head, Item, linked
from freqtrade_mem0.journal.chain_archived import (
    CHANGED,
    DELETED,
    check_evidence,
    check_old_decisions,
    check_validity,
)
from freqtrade_mem0.journal.chain_packed import Days, LastItems, Ranges
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.codec import hash_of
from freqtrade_mem0.records.kinds import record_types

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.journal.connection import Connection

    Progress = Callable[[int, int], None]

_PAGE = 2_000

MOST = 1_000
"""Breaks that are named; all are counted."""

_COLUMNS = {"records": chain.RECORD_COLUMNS, "decisions": chain.DECISION_COLUMNS}
_KINDS = {"records": chain.RECORD, "decisions": chain.DECISION}


_CUT = "items of the chain are missing: they were deleted from the file"
_REWRITTEN = (
    "it does not follow from the items before it: they, or the root, were changed in the file"
)
_NOT_OURS = (
    "it is no root of this chain: what was written until that day was replaced or cut off, or an "
    "older copy of the journal was put in its place"
)
_FOREIGN = "it is not in the chain: another program than freqtrade-mem0 wrote it into the file"


class Break(NamedTuple):
    """A place where the file does not fit the chain."""

    n: int
    """Number of the item of the chain, 0 where there is none."""
    what: str
    """The row or root."""
    means: str
    """What must have happened, as a sentence."""


class Root(NamedTuple):
    """The link after the last item of a day."""

    day: str
    n_items: int
    root: str
    """In hexadecimal."""


@dataclass(slots=True)
class Checked:
    """What was found.

    `gone` counts rows that were deleted in order, by why; `noted` lists these deletions.
    """

    n_items: int = 0
    n_rows: int = 0
    n_breaks: int = 0
    breaks: list[Break] = field(default_factory=list)
    gone: Counter[str] = field(default_factory=Counter)
    noted: list[dict[str, object]] = field(default_factory=list)
    roots: list[Root] = field(default_factory=list)

    def add(self, n: int, what: str, means: str) -> None:
        """Note a break."""
        self.n_breaks += 1
        if len(self.breaks) < MOST:
            self.breaks.append(Break(n, what, means))


def check_chain(
    connection: Connection,
    kept: Mapping[str, str] | None = None,
    progress: Progress | None = None,
) -> Checked:
    """Compare every row with the chain, and the chain with its roots.

    Parameters
    ----------
    connection
        Of the journal. What other processes write meanwhile is not looked at.
    kept
        Roots that were kept elsewhere, by day (`YYYY-MM-DD`): each must be a link of the chain that
        is not later than that day.
    progress
        Gets, page by page, how many rows are done and how many there are.

    Raises
    ------
    JournalError
        The file can not be read.
    """
    found = Checked()
    with connection.read() as sqlite:
        sqlite.execute("BEGIN")
        try:
            last = _walk(sqlite, found, dict(kept or {}))
            gone, archived = _gone(sqlite, found)
            _compare_rows(sqlite, found, last, progress)
            for each in (
                *check_evidence(sqlite, last, archived, gone[chain.RECORD]),
                *check_old_decisions(sqlite, last),
                *check_validity(sqlite),
            ):
                found.add(*each)
            for n, kind, row in last.rest():
                table = "records" if kind == chain.RECORD else "decisions"
                if row not in gone[_KINDS[table]]:
                    found.add(n, f"row {row} of {table}", DELETED)
        finally:
            sqlite.execute("ROLLBACK")
    found.breaks.sort()
    return found


def _walk(sqlite: sqlite3.Connection, found: Checked, kept: dict[str, str]) -> LastItems:
    """Compute every link; return the last item of each row."""
    stored = sqlite.execute("SELECT day, last_n, root FROM chain_roots ORDER BY id").fetchall()
    found.roots = [Root(day, n, bytes(root).hex()) for day, n, root in stored]
    roots = {n: (day, bytes(root)) for day, n, root in stored}
    wanted = {root.lower(): day for day, root in kept.items()}
    last, head = LastItems(), Head()
    n, link, day_of = 0, head.link, Days([(day, n) for day, n, _ in stored])
    while rows := sqlite.execute(
        "SELECT n, kind, row, digest FROM chain WHERE n > ? ORDER BY n LIMIT ?", [n, _PAGE]
    ).fetchall():
        for number, *values in rows:
            if number != n + 1:
                found.add(n + 1, f"item {n + 1} of the chain", _CUT)
            item = Item(*values)
            n, link = number, linked(link, item)
            found.n_items += 1
            last.add(item)
            if n in roots and roots[n][1] != link:
                found.add(n, f"the root of {roots[n][0]}", _REWRITTEN)
            day = wanted.get(link.hex())
            if day is not None and day_of(n) <= day:
                del wanted[link.hex()]
    if n != (stored[-1][1] if stored else 0):
        found.add(n, "the end of the chain", _CUT)
    for root, day in wanted.items():
        found.add(0, f"the root {root} of {day}", _NOT_OURS)
    last.close()
    return last


def _gone(sqlite: sqlite3.Connection, found: Checked) -> tuple[dict[int, Ranges], Ranges]:
    """Return the rows that were deleted in order, by the kind of their items.

    Archived records, which are rows of evidence still, are returned by themselves.
    """
    archived: list[list[int]] = []
    ranges: dict[int, list[list[int]]] = {chain.RECORD: [], chain.DECISION: []}
    rows = sqlite.execute(
        "SELECT g.n, g.at_ms, g.why, g.rows, c.kind, c.digest FROM chain_gone g"
        " LEFT JOIN chain c ON c.n = g.n ORDER BY g.n"
    )
    for n, at_ms, why, text, kind, digest in rows:
        if digest != chain.gone_digest(at_ms, why, text):
            found.add(n, f"the deletion in item {n} of the chain", CHANGED)
            continue
        parts = json.loads(text)
        count = sum(end - start + 1 for start, end in parts)
        table = "records" if kind == chain.RECORDS_GONE else "decisions"
        found.gone[why] += count
        found.noted.append(
            {"at": from_ms(at_ms).isoformat(), "why": why, "table": table, "rows": count}
        )
        if why != ARCHIVED:
            ranges[_KINDS[table]] += parts
        elif table == "records":
            archived += parts
    return {kind: Ranges(parts) for kind, parts in ranges.items()}, Ranges(archived)


def _compare_rows(
    sqlite: sqlite3.Connection,
    found: Checked,
    last: LastItems,
    progress: Progress | None,
) -> None:
    n_in_all = sqlite.execute(
        "SELECT (SELECT count(*) FROM records) + (SELECT count(*) FROM decisions)"
    ).fetchone()[0]
    for table, columns in _COLUMNS.items():
        body = "body_of(seq, body)" if table == "records" else "''"
        query = f"SELECT seq, {body}, {columns} FROM {table} WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608
        seq = 0
        while rows := sqlite.execute(query, [seq, _PAGE]).fetchall():
            for seq, body, *values in rows:
                found.n_rows += 1
                what = f"row {seq} of {table} ({values[0]})"
                item = last.take(_KINDS[table], seq)
                if item is None:
                    found.add(0, what, _FOREIGN)
                elif not _fits(table, item[1], body, values):
                    found.add(item[0], what, CHANGED)
            if progress is not None:
                progress(found.n_rows, n_in_all)


def _fits(table: str, digest: bytes, body: Any, values: list[Any]) -> bool:
    try:
        if table == "decisions":
            return chain.decision_digest(values) == digest
        record_type = record_types().get(values[2])
        if record_type is not None and hash_of(body, record_type.added_later) != values[1]:
            return False
    except (AttributeError, TypeError, ValueError):
        return False  # a damaged row has values of any type
    # A record of a kind that only a later version knows is compared without its body.
    return chain.record_digest(values) == digest
