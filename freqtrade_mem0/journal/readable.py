"""What SQLite can still read of a damaged journal: row by row, around the damage.

A damaged page costs the rows on it and, where it leads to other pages, the rows on those. A range
of row numbers that can not be read is halved until single rows remain.
"""

from __future__ import annotations

import sqlite3
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.journal.evidence.rows import COLUMNS
from freqtrade_mem0.journal.stored_bodies import BodyReader
from freqtrade_mem0.journal.verify import is_sound
from freqtrade_mem0.sqlite_files.cipher_pages import decrypted_first, encrypted_first, mend
from freqtrade_mem0.sqlite_files.connecting import connect

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Row = tuple[Any, ...]

_ROWS_PER_READ = 500
_PAGE_BYTES = 4096
_SIGNS = {"records": 1, "decisions": -1}
"""By table with bodies, the sign of its rows' numbers in `packed`."""
_EVIDENCE = (
    *("seq", "id", "scope", "pair", "known_ms", "recorded_ms", "is_current", "is_archived"),
    *("said", "checksum", "facts"),
)
"""The columns of evidence in the order of the table."""
_HEAD_BYTES = 100
"""The file's head, before the first page's own."""

_INTERIOR = 5
"""SQLite's number of a page of a table that leads to other pages."""

_CHANGE_COUNTER = slice(24, 28)
"""Bytes of the file's head. SQLite trusts the number of pages in the head only if this counter
equals its copy, and takes the file's size otherwise."""


class ReadableJournal:
    """The rows of a damaged journal that SQLite can read and that make sense.

    `path` is a copy of the damaged file, which may be changed. If a page that says where the tables
    are is lost, those of an `empty` journal are used: in files that were made in the present
    format, the tables are in the same places.
    """

    def __init__(self, path: Path, *, empty: Path) -> None:
        self._bodiless: set[int] = set()
        """Numbers of records whose body was compressed and can not be read."""
        self.incomplete: set[str] = set()
        """Tables of which not every row could be read."""
        self._sqlite = _connect(path)
        try:
            self._tables()
        except sqlite3.DatabaseError:
            self._sqlite.close()
            _replace_schema(path, empty)
            self._sqlite = _connect(path)
        n_bytes = path.stat().st_size
        self.last_seq = {
            # A damaged number must not keep us reading for ever.
            table: min(self._highest_seq(table), n_bytes)
            for table in ("records", "decisions")
        }
        self.last_seq_of = self.last_seq | {"old_decisions": self.last_seq["decisions"]}
        """The highest row number ever given in a table."""

    def close(self) -> None:
        """Close the file."""
        self._sqlite.close()

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the rows of `records`, `decisions` or `outbox`, in order."""
        # The outbox has the numbers of its records.
        first, last = 1, self.last_seq_of.get(table, self.last_seq["records"])
        while first <= last:
            try:
                rows = self._fetch(table, first, last, _ROWS_PER_READ)
            except sqlite3.DatabaseError:
                after = first + _ROWS_PER_READ
                rows = self._bisect(table, first, after - 1)
            else:
                if not rows:
                    return
                after = rows[-1][0] + 1
            first = after
            rows = [self._with_body(table, row) for row in rows] if table in _SIGNS else rows
            sound = [row for row in rows if table not in _SIGNS or is_sound(table, row)]
            if len(sound) < len(rows):
                self.incomplete.add(table)
            yield from sound

    def archived(self) -> Iterator[Row]:
        """Yield evidence whose record is in the archive, or compressed beyond reading.

        The columns are those of `evidence.rows.COLUMNS`, then `is_current` and the body ("" where
        it can not be read).
        """
        bodies = BodyReader(self._sqlite)
        names = COLUMNS.split(", ")
        for row in self._numbered("evidence"):
            columns = dict(zip(_EVIDENCE, row, strict=True))
            if columns["is_archived"] or row[0] in self._bodiless:
                body = bodies.body(row[0], "")
                yield (*(columns[name] for name in names), columns["is_current"], body)

    def old_decisions(self) -> Iterator[Row]:
        """Yield the rows of archived decisions, each followed by the texts of its scope."""
        scopes = {number: texts for number, *texts in self.pairs("scopes")}
        for row in self._numbered("old_decisions"):
            if row[2] in scopes:
                yield (*row, *scopes[row[2]])

    def _numbered(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table that older formats lack."""
        try:
            if table in self._tables():
                yield from self.rows(table)
        except sqlite3.DatabaseError:
            self.incomplete.add(table)

    def _with_body(self, table: str, row: Row) -> Row:
        if row[-1] != "":
            return row
        body = BodyReader(self._sqlite).body(_SIGNS[table] * row[0], "")
        if not body and table == "records":
            self._bodiless.add(row[0])
        return (*row[:-1], body)

    def pairs(self, table: str) -> Iterator[Row]:
        """Yield the rows of a table without numbers: from both ends up to the damage."""
        try:
            if table not in self._tables():
                return  # older formats lack them
        except sqlite3.DatabaseError:
            self.incomplete.add(table)
            return
        for order in ("ASC", "DESC"):
            query = f"SELECT * FROM {table} ORDER BY 1 {order}"  # noqa: S608 - ours
            try:
                yield from self._sqlite.execute(query)
            except sqlite3.DatabaseError:
                self.incomplete.add(table)
            else:
                return

    def _tables(self) -> set[str]:
        return {name for (name,) in self._sqlite.execute("SELECT name FROM sqlite_master")}

    def _highest_seq(self, table: str) -> int:
        found = []
        for query in (
            f"SELECT max(seq) FROM {table}",  # noqa: S608 - as above
            f"SELECT max(seq) FROM sqlite_sequence WHERE name = '{table}'",  # noqa: S608
        ):
            try:
                found.append(self._sqlite.execute(query).fetchone()[0])
            except sqlite3.DatabaseError:
                continue
        if not found:
            self.incomplete |= {table, "outbox"}
        return max((each for each in found if isinstance(each, int)), default=0)

    def _bisect(self, table: str, first: int, last: int) -> list[Row]:
        try:
            return self._fetch(table, first, last)
        except sqlite3.DatabaseError:
            if first == last:
                self.incomplete.add(table)
                return []
        middle = (first + last) // 2
        return self._bisect(table, first, middle) + self._bisect(table, middle + 1, last)

    def _fetch(self, table: str, first: int, last: int, limit: int = -1) -> list[Row]:
        """Return the rows of a range; raise `DatabaseError` where SQLite reads nonsense as rows."""
        # Behind a row of a range SQLite looks at the next one, whose page may be damaged.
        where = "seq = ?1" if first == last else "seq BETWEEN ?1 AND ?2"
        query = f"SELECT * FROM {table} NOT INDEXED WHERE {where} ORDER BY seq LIMIT ?3"  # noqa: S608 - as above
        rows = self._sqlite.execute(query, [first, last, limit]).fetchall()
        numbers = [first - 1, *(row[0] for row in rows), last + 1]
        if any(one >= next_one for one, next_one in pairwise(numbers)):
            raise sqlite3.DatabaseError(f"rows of {table} are out of order")
        return rows


def _connect(path: Path) -> sqlite3.Connection:
    sqlite = connect(path)
    # Lets SQLite read a file that is shorter than its head says, or has a damaged schema.
    sqlite.execute("PRAGMA writable_schema = ON")
    return sqlite


def _replace_schema(path: Path, empty: Path) -> None:
    """Overwrite the pages that say where the tables are."""
    content, data_key = empty.read_bytes(), KEYRING.data_key(path)
    page = content[:_PAGE_BYTES]
    first = bytearray(page if data_key is None else decrypted_first(page, data_key))
    numbers = _schema_pages(bytes(first))
    first[_CHANGE_COUNTER] = b"\xff" * 4
    plain = bytes(first)
    with path.open("r+b") as file:
        file.write(plain if data_key is None else encrypted_first(plain, page, data_key))
        for number in numbers[1:]:
            start = (number - 1) * _PAGE_BYTES
            file.seek(start)
            file.write(content[start : start + _PAGE_BYTES])
    if data_key is not None:
        mend(path, data_key)


def _schema_pages(content: bytes) -> list[int]:
    """Return the numbers of the pages of SQLite's own table, whose root is the first page."""
    kind, n_cells = content[_HEAD_BYTES], int.from_bytes(content[_HEAD_BYTES + 3 :][:2])
    if kind != _INTERIOR:
        return [1]
    cells = _HEAD_BYTES + 12  # two bytes for each cell; a cell begins with the number of its page
    starts = [int.from_bytes(content[cells + 2 * each :][:2]) for each in range(n_cells)]
    return [1, *(int.from_bytes(content[start:][:4]) for start in (*starts, _HEAD_BYTES + 8))]
