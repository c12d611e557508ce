"""Rows out of the pages of an SQLite file, without SQLite, which gives up where a file is damaged.

Whatever else is broken, a leaf page that is whole gives its rows: neither the pages above it nor
the file's head are needed. What makes no sense is passed over.

References
----------
Database File Format and WAL-mode File Format, https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import mmap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = b"SQLite format 3\x00"

Value = int | float | str | bytes | None

_HEAD_BYTES = 100
"""Head of the file, in front of what page 1 holds."""
_DEFAULT_PAGE_BYTES = 4096

_TABLE_LEAF, _TABLE_INTERIOR = 13, 5
_INDEX_LEAF, _INDEX_INTERIOR = 10, 2

_WAL_HEAD, _FRAME_HEAD = struct.Struct(">8I"), struct.Struct(">6I")
_WAL_LITTLE_ENDIAN, _WAL_BIG_ENDIAN = 0x377F0682, 0x377F0683

_INT_BYTES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}
"""Serial types of integers, and their length."""
_FLOAT, _ZERO, _ONE = 7, 8, 9
_FIRST_BLOB, _FIRST_TEXT = 12, 13


class _DamagedError(Exception):
    """These bytes are no row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row as it stands in a page.

    Parameters
    ----------
    page
        Number of the page, from 1.
    rowid
        None in an index, and in a table without row ids.
    values
        By column. A column that is the row id itself is None.
    """

    page: int
    rowid: int | None
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """The pages of a file as its last committed transaction left them.

    Parameters
    ----------
    page_bytes
        Size of a page.
    file
        The database.
    newer
        Pages of the write-ahead log, which count instead of those of the file; by number, from 1.
    n_broken_frames
        Pages of the write-ahead log that were damaged; their older content is used.
    """

    page_bytes: int
    file: bytes | mmap
    newer: Mapping[int, bytes]
    n_broken_frames: int = 0

    def content(self, number: int) -> bytes | None:
        """Return a page, what the file's end cuts off filled with zeros; None beyond the end."""
        logged = self.newer.get(number)
        if logged is not None:
            return logged
        start = (number - 1) * self.page_bytes
        if not 0 <= start < len(self.file):
            return None
        return self.file[start : start + self.page_bytes].ljust(self.page_bytes, b"\x00")

    def rows(self) -> Iterator[Row]:
        """Yield every row that can be read, of tables and indexes; not those of free pages."""
        free = self._free()
        n_pages = max([-(-len(self.file) // self.page_bytes), *self.newer])
        for number in range(1, n_pages + 1):
            content = self.content(number)
            if content is not None and number not in free:
                yield from self._rows_in(number, content)

    def tree(self, root: int) -> list[Row] | None:
        """Return the rows of a table by its first page; None where any part can not be read."""
        rows: list[Row] = []
        waiting, seen = [root], set[int]()
        while waiting:
            number = waiting.pop()
            content = self.content(number)
            if number in seen or content is None:
                return None
            seen.add(number)
            start = _start(number)
            kind = content[start]
            try:
                cells = self._cells(content, start)
                if kind == _TABLE_LEAF:
                    rows += [self._row(number, content, kind, at) for at in cells]
                elif kind == _TABLE_INTERIOR:
                    waiting += [_uint(content, at) for at in cells]
                    waiting.append(_uint(content, start + 8))
                else:
                    return None
            except _DamagedError:
                return None
        return rows

    def _rows_in(self, number: int, content: bytes) -> Iterator[Row]:
        kind = content[_start(number)]
        if kind not in (_TABLE_LEAF, _INDEX_LEAF, _INDEX_INTERIOR):
            return
        try:
            cells = self._cells(content, _start(number))
        except _DamagedError:
            return
        for at in cells:
            try:
                yield self._row(number, content, kind, at)
            except _DamagedError:
                continue

    def _cells(self, content: bytes, start: int) -> list[int]:
        """Return where the cells of a tree page begin."""
        pointers = start + (12 if content[start] in (_TABLE_INTERIOR, _INDEX_INTERIOR) else 8)
        end = pointers + 2 * int.from_bytes(content[start + 3 : start + 5])
        if end > self.page_bytes:
            raise _DamagedError
        return [int.from_bytes(content[at : at + 2]) for at in range(pointers, end, 2)]

    def _row(self, number: int, content: bytes, kind: int, at: int) -> Row:
        if kind == _INDEX_INTERIOR:
            at += 4  # the page below
        n_bytes, at = _varint(content, at)
        rowid: int | None = None
        if kind == _TABLE_LEAF:
            rowid, at = _varint(content, at)
        body = self._payload(content, at, n_bytes, in_table=kind == _TABLE_LEAF)
        return Row(page=number, rowid=rowid, values=_values(body))

    def _payload(self, content: bytes, at: int, n_bytes: int, *, in_table: bool) -> bytes:
        """Return a row's bytes, from this page and from those it overflows into."""
        usable = self.page_bytes  # our files reserve nothing at the end of a page
        most = usable - 35 if in_table else (usable - 12) * 64 // 255 - 23
        if not 0 < n_bytes <= len(self.file) + usable * len(self.newer):
            raise _DamagedError
        n_here = n_bytes
        if n_bytes > most:
            least = (usable - 12) * 32 // 255 - 23
            n_here = least + (n_bytes - least) % (usable - 4)
            n_here = n_here if n_here <= most else least
        parts = [content[at : at + n_here]]
        missing = n_bytes - n_here
        following = _uint(content, at + n_here) if missing else 0
        while missing > 0:
            further = self.content(following)
            if further is None:
                raise _DamagedError
            parts.append(further[4 : 4 + min(missing, usable - 4)])
            missing -= usable - 4
            following = _uint(further, 0)
        whole = b"".join(parts)
        if len(whole) != n_bytes:
            raise _DamagedError
        return whole

    def _free(self) -> set[int]:
        """Return the pages that hold nothing any more, as far as the list of them can be read."""
        head = self.content(1) or b""
        free: set[int] = set()
        trunk = _uint(head, 32) if head.startswith(MAGIC) else 0
        while trunk not in free and (content := self.content(trunk)) is not None:
            count = _uint(content, 4)
            if count > self.page_bytes // 4 - 2:
                break
            free.add(trunk)
            free.update(_uint(content, 8 + 4 * each) for each in range(count))
            trunk = _uint(content, 0)
        return free


def read_pages(file: bytes | mmap, log: bytes) -> Pages:
    """Return the pages of a database file under its write-ahead log.

    Parameters
    ----------
    file
        The database.
    log
        Its write-ahead log; b"" where there is none.
    """
    page_bytes = _page_bytes(file, log)
    newer, n_broken = _logged(log, page_bytes)
    return Pages(page_bytes=page_bytes, file=file, newer=newer, n_broken_frames=n_broken)


def _page_bytes(file: bytes | mmap, log: bytes) -> int:
    if file[: len(MAGIC)] == MAGIC:
        size = int.from_bytes(file[16:18])
        size = 65_536 if size == 1 else size
        if _is_page_size(size):
            return size
    if len(log) >= _WAL_HEAD.size and _is_page_size(_uint(log, 8)):
        return _uint(log, 8)
    return _DEFAULT_PAGE_BYTES


def _is_page_size(size: int) -> bool:
    return 512 <= size <= 65_536 and size & (size - 1) == 0  # noqa: PLR2004 - as SQLite has it


def _logged(log: bytes, page_bytes: int) -> tuple[dict[int, bytes], int]:
    """Return the committed pages of a write-ahead log, and how many were damaged.

    Each frame's checksum goes on from the one before it, which stands in that frame's head. So a
    damaged frame does not take along what comes after it, as it does in SQLite.
    """
    frame_bytes = _FRAME_HEAD.size + page_bytes
    if len(log) < _WAL_HEAD.size + frame_bytes:
        return {}, 0
    magic, _, _, _, salt_1, salt_2, sum_1, sum_2 = _WAL_HEAD.unpack_from(log)
    if magic not in (_WAL_LITTLE_ENDIAN, _WAL_BIG_ENDIAN):
        # The log's own head is damaged: what its first frame says of it has to do.
        magic = _WAL_LITTLE_ENDIAN
        salt_1, salt_2 = _FRAME_HEAD.unpack_from(log, _WAL_HEAD.size)[2:4]
    order = "<" if magic == _WAL_LITTLE_ENDIAN else ">"
    committed: dict[int, bytes] = {}
    waiting: dict[int, bytes] = {}
    n_broken = n_waiting_broken = 0
    for at in range(_WAL_HEAD.size, len(log) - frame_bytes + 1, frame_bytes):
        number, n_pages, own_1, own_2, said_1, said_2 = _FRAME_HEAD.unpack_from(log, at)
        if (own_1, own_2) != (salt_1, salt_2):
            break  # left over from before the log was begun anew
        content = log[at + _FRAME_HEAD.size : at + frame_bytes]
        found = _checksum(log[at : at + 8] + content, order, sum_1, sum_2)
        sum_1, sum_2 = said_1, said_2
        if found != (said_1, said_2):
            n_waiting_broken += 1
            continue
        waiting[number] = content
        if n_pages:  # the last page of a transaction
            committed |= waiting
            n_broken += n_waiting_broken
            waiting, n_waiting_broken = {}, 0
    return committed, n_broken


def _checksum(data: bytes, order: str, sum_1: int, sum_2: int) -> tuple[int, int]:
    words = struct.unpack(f"{order}{len(data) // 4}I", data)
    for at in range(0, len(words), 2):
        sum_1 = (sum_1 + words[at] + sum_2) & 0xFFFF_FFFF
        sum_2 = (sum_2 + words[at + 1] + sum_1) & 0xFFFF_FFFF
    return sum_1, sum_2


def _values(body: bytes) -> tuple[Value, ...]:
    n_head, at = _varint(body, 0)
    if not at <= n_head <= len(body):
        raise _DamagedError
    types = []
    while at < n_head:
        kind, at = _varint(body, at)
        types.append(kind)
    values: list[Value] = []
    at = n_head
    for kind in types:
        value, at = _value(body, at, kind)
        values.append(value)
    if at != len(body):
        raise _DamagedError
    return tuple(values)


def _value(body: bytes, at: int, kind: int) -> tuple[Value, int]:
    if kind == 0:
        return None, at
    if kind in (_ZERO, _ONE):
        return kind - _ZERO, at
    n_bytes = 8 if kind == _FLOAT else _INT_BYTES.get(kind, (kind - _FIRST_BLOB) // 2)
    raw = body[at : at + n_bytes]
    if n_bytes < 0 or len(raw) != n_bytes:
        raise _DamagedError
    at += n_bytes
    if kind == _FLOAT:
        (number,) = struct.unpack(">d", raw)
        return float(number), at
    if kind in _INT_BYTES:
        return int.from_bytes(raw, signed=True), at
    if kind < _FIRST_BLOB:
        raise _DamagedError
    if kind % 2 == 0:
        return raw, at
    try:
        return raw.decode(), at
    except UnicodeDecodeError:
        raise _DamagedError from None


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return a number in SQLite's variable length, and where the next byte is."""
    value = 0
    for place in range(9):
        if at >= len(data):
            raise _DamagedError
        byte = data[at]
        at += 1
        if place == 8:  # noqa: PLR2004 - the ninth byte has eight bits of value
            value = value << 8 | byte
            break
        value = value << 7 | byte & 0x7F
        if byte < 0x80:  # noqa: PLR2004 - no byte follows
            break
    return value - (1 << 64) if value >= 1 << 63 else value, at


def _uint(data: bytes, at: int) -> int:
    if at < 0 or at + 4 > len(data):
        raise _DamagedError
    return int.from_bytes(data[at : at + 4])


def _start(number: int) -> int:
    """Return where a page's own head begins: the first page holds the file's before it."""
    return _HEAD_BYTES if number == 1 else 0
