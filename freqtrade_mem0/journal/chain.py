"""A chain of hashes over the rows of the journal, so that a change made behind our back shows.

Each row that is written, and each deletion that we make, adds an item to the chain: what it is
about, and a digest of what it says. The link of an item is SHA-256 over the link before it and the
item; the link after the last item of a day is the root of that day. Only digests and roots are
stored, so that the chain stays whole when bodies are compressed, moved or forgotten.

The chain is tamper-evident, not tamper-proof: who may write the file can make all of it anew. A
root that was kept elsewhere tells, see `chain_check`.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import pairwise
from struct import Struct
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Sequence

Table = Literal["records", "decisions"]
Value = str | int | None

RECORD, DECISION, RECORDS_GONE, DECISIONS_GONE, OLD_DECISION = range(5)
"""What an item is about: a row of a table as it is from then on, rows that were deleted, or the
numbers of an archived decision. A decision has a second one when it is tied to its trade."""

ARCHIVED = "archived"
"""Why a row is gone whose evidence or numbers are still there, and are compared."""

GONE: dict[Table, int] = {"records": RECORDS_GONE, "decisions": DECISIONS_GONE}
"""What an item of a deletion is about, by the table."""

RECORD_COLUMNS = (
    "id, content_hash, kind, category, user_id, strategy, mode, run_id, pair, known_ms, recorded_ms"
)
"""What the digest of a record is made of; its content hash stands for its body."""

_N_RECORD_COLUMNS = len(RECORD_COLUMNS.split(", "))

DECISION_COLUMNS = (
    "id, user_id, strategy, mode, run_id, pair, side, decided_ms, body_of(-seq, body), trade_id,"
    " open_ms"
)

DIGEST_BYTES = 16
"""Of SHA-256, so that a trade costs 60 to 90 bytes. To find another row with the same digest takes
2^128 attempts."""

_PAGE = 5_000
_KIND_AND_ROW = Struct(">BQ")


class Item(NamedTuple):
    """An item of the chain."""

    kind: int
    row: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain."""

    n: int = 0
    """How many items there are."""
    link: bytes = bytes(32)
    day: str = ""
    record_seq: int = 0
    """The last row of `records` that is in the chain."""


def record_digest(values: Sequence[Value]) -> bytes:
    """Return the digest of a record's row, from its `RECORD_COLUMNS`."""
    return _digest(tuple(values))


def decision_digest(values: Sequence[Value]) -> bytes:
    """Return the digest of a decision's row, from its `DECISION_COLUMNS`."""
    *columns, body, trade_id, open_ms = values
    return _digest((*columns, sha256(str(body).encode()).hexdigest(), trade_id, open_ms))


def text_digest(text: str) -> bytes:
    """Return the digest of a text."""
    return _digest((text,))


def gone_digest(at_ms: int, why: str, rows: str) -> bytes:
    """Return the digest of a deletion."""
    return _digest((at_ms, why, rows))


def _digest(values: tuple[Value, ...]) -> bytes:
    # Python's own notation, with everything but ASCII escaped: quick, and the same in each version.
    return sha256(ascii(values).encode()).digest()[:DIGEST_BYTES]


def linked(link: bytes, item: Item) -> bytes:
    """Return the link after an item."""
    kind, row, digest = item
    return sha256(link + _KIND_AND_ROW.pack(kind, row) + digest).digest()


def head(sqlite: sqlite3.Connection) -> Head:
    """Return the end of the chain."""
    row = sqlite.execute(
        "SELECT last_n, root, day, record_seq FROM chain_roots ORDER BY id DESC LIMIT 1"
    ).fetchone()
    return Head() if row is None else Head(*row)


def extend(
    sqlite: sqlite3.Connection,
    items: Iterable[Item] = (),
    added: Sequence[tuple[int, Sequence[Value]]] = (),
) -> None:
    """Add to the chain the records that are not in it, and then these items.

    It belongs into the transaction that writes the rows.

    Parameters
    ----------
    items
        What to add after the records.
    added
        Rows of records that were just written, ascending by their numbers, with `RECORD_COLUMNS`
        and what follows these. They are not read again if they are all that is new.
    """
    end = head(sqlite)
    n, link, record_seq = end.n, end.link, end.record_seq
    for page in (*_new_records(sqlite, record_seq, added), list(items)):
        rows = []
        for item in page:
            n, link = n + 1, linked(link, item)
            rows.append((n, *item))
            record_seq = item.row if item.kind == RECORD else record_seq
        sqlite.executemany("INSERT INTO chain (n, kind, row, digest) VALUES (?, ?, ?, ?)", rows)
    if n == end.n:
        return
    today = datetime.now(UTC).date().isoformat()
    values = (n, link, max(record_seq, end.record_seq))
    if today == end.day:
        sqlite.execute(
            "UPDATE chain_roots SET last_n = ?, root = ?, record_seq = ?"
            " WHERE id = (SELECT max(id) FROM chain_roots)",
            values,
        )
    else:
        sqlite.execute(
            "INSERT INTO chain_roots (day, last_n, root, record_seq) VALUES (?, ?, ?, ?)",
            (today, *values),
        )


def decision_items(sqlite: sqlite3.Connection, seqs: Iterable[int]) -> Iterator[Item]:
    """Yield the items of decisions as they are now."""
    query = f"SELECT {DECISION_COLUMNS} FROM decisions WHERE seq = ?"  # noqa: S608
    for seq in seqs:
        yield Item(DECISION, seq, decision_digest(sqlite.execute(query, [seq]).fetchone()))


def note_gone(sqlite: sqlite3.Connection, table: Table, seqs: Iterable[int], why: str) -> None:
    """Note in the chain that rows are deleted, inside the transaction that deletes them.

    `why` is one word for people, such as "compacted" or "forgotten"; nothing of the rows is kept.
    """
    rows = as_ranges(seqs)
    if rows == "[]":
        return
    at_ms = time.time_ns() // 1_000_000
    kind = GONE[table]
    extend(sqlite, [Item(kind, 0, gone_digest(at_ms, why, rows))])
    sqlite.execute(
        "INSERT INTO chain_gone (n, at_ms, why, rows) VALUES (?, ?, ?, ?)",
        [head(sqlite).n, at_ms, why, rows],
    )


def as_ranges(seqs: Iterable[int]) -> str:
    """Return row numbers as ranges in JSON.

    >>> as_ranges([4, 1, 2, 3, 9])
    '[[1,4],[9,9]]'
    """
    ordered = sorted(set(seqs))
    ends = [first for first, second in pairwise(ordered) if second != first + 1] + ordered[-1:]
    starts = ordered[:1] + [second for first, second in pairwise(ordered) if second != first + 1]
    return json.dumps(list(zip(starts, ends, strict=True)), separators=(",", ":"))


def begin(sqlite: sqlite3.Connection) -> None:
    """Take every row of a journal without a chain into it, in its migration."""
    extend(sqlite)
    first = 0
    while True:
        seqs = [
            seq
            for (seq,) in sqlite.execute(
                "SELECT seq FROM decisions WHERE seq > ? ORDER BY seq LIMIT ?", [first, _PAGE]
            )
        ]
        if not seqs:
            return
        extend(sqlite, decision_items(sqlite, seqs))
        first = seqs[-1]


def _new_records(
    sqlite: sqlite3.Connection, after: int, added: Sequence[tuple[int, Sequence[Value]]]
) -> Iterator[list[Item]]:
    if added and added[0][0] > after:
        new = "SELECT count(*) FROM records WHERE seq > ?"
        if sqlite.execute(new, [after]).fetchone()[0] == len(added):
            columns = slice(_N_RECORD_COLUMNS)
            yield [Item(RECORD, seq, record_digest(row[columns])) for seq, row in added]
            return
    query = f"SELECT seq, {RECORD_COLUMNS} FROM records WHERE seq > ? ORDER BY seq LIMIT {_PAGE}"  # noqa: S608
    n_rows = _PAGE
    while n_rows == _PAGE:
        page = [
            Item(RECORD, seq, record_digest(values))
            for seq, *values in sqlite.execute(query, [after])
        ]
        yield page
        n_rows, after = len(page), page[-1].row if page else after
