"""Compresses bodies with dictionaries that are trained on the journal's own, and kept in it."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator, Sequence

    from zstandard import ZstdCompressor

    from freqtrade_mem0.journal.brief_writes import BriefWrites

TABLES = {"records": ("max(known_ms, recorded_ms)", 1), "decisions": ("decided_ms", -1)}
"""By table, the time from which its rows age, and the sign of its numbers in `packed`."""

_DELIVERED = {
    "records": "NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.seq = each.seq)",
    "decisions": "1",
}
"""What waits for Mem0 stays as it is."""

_LEVEL = 9
_DICTIONARY_BYTES = 16_384
_SAMPLES = 2_000
FEWEST = 128
"""A dictionary pays from so many bodies on."""

_ROWS_PER_LOOK = 500
_ROWS_PER_WRITE = 100
_POOR = 1.3
"""A dictionary that compresses this much worse than in the beginning is followed by another one."""

_FIRST_NUMBER = 1 << 15
"""Lower numbers of dictionaries are reserved by zstd's registry."""
_MOST_NUMBERS = 1 << 30


class _Dictionary(NamedTuple):
    compressor: ZstdCompressor
    ratio: float


def pack(
    writes: BriefWrites,
    table: str,
    before_ms: int,
    *,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> int:
    """Compress the bodies of a table that are older than a moment; return how many.

    A kill at any point leaves each body either plain or compressed.
    """
    if dry_run:
        return _n_plain(writes, table, before_ms)
    dictionary, n_packed = None, 0
    for rows in _plain_pages(writes, table, before_ms):
        if writes.has_to_stop():
            break
        if dictionary is None:
            dictionary = _newest(writes, table)
        if dictionary is None:
            dictionary = _trained(writes, table, before_ms)
        if dictionary is None:
            break  # too few
        packed = [dictionary.compressor.compress(body.encode()) for _, body in rows]
        ratio = sum(map(len, packed)) / max(sum(len(body.encode()) for _, body in rows), 1)
        if ratio > _POOR * dictionary.ratio and len(rows) == _ROWS_PER_LOOK:
            better = _trained(writes, table, before_ms)
            if better is not None and better.ratio * _POOR < ratio:
                dictionary = better
                packed = [dictionary.compressor.compress(body.encode()) for _, body in rows]
        n_packed += _replace(writes, table, list(zip(rows, packed, strict=True)))
        progress(n_packed)
    return n_packed


def _replace(
    writes: BriefWrites, table: str, packed: Sequence[tuple[tuple[int, str], bytes]]
) -> int:
    """Put compressed bodies into the place of plain ones that are still the same."""
    _, sign = TABLES[table]
    n_packed = 0
    for start in range(0, len(packed), _ROWS_PER_WRITE):
        with writes.one() as sqlite:
            for (seq, body), compressed in packed[start : start + _ROWS_PER_WRITE]:
                if _empty(sqlite, table, seq, body):
                    n_packed += 1
                    sqlite.execute(
                        "INSERT OR REPLACE INTO packed (number, body) VALUES (?, ?)",
                        [sign * seq, compressed],
                    )
    return n_packed


def _empty(sqlite: sqlite3.Connection, table: str, seq: int, body: str) -> bool:
    """Take the body out of a row if it is still the same; return whether it was.

    The row is written anew: SQLite joins pages that a deletion leaves nearly empty, but not those
    that an update does.
    """
    row = sqlite.execute(
        f"SELECT * FROM {table} AS each WHERE seq = ? AND body = ? AND {_DELIVERED[table]}",  # noqa: S608 - fixed names
        [seq, body],
    ).fetchone()
    if row is None:
        return False
    sqlite.execute(f"DELETE FROM {table} WHERE seq = ?", [seq])  # noqa: S608
    places = ", ".join("?" * len(row))
    sqlite.execute(f"INSERT INTO {table} VALUES ({places})", [*row[:-1], ""])  # noqa: S608
    return True


def _plain_pages(
    writes: BriefWrites, table: str, before_ms: int
) -> Iterator[list[tuple[int, str]]]:
    column, _ = TABLES[table]
    seq = 0
    while rows := writes.journal.connection.rows(
        f"SELECT seq, body FROM {table} AS each NOT INDEXED WHERE seq > ? AND {column} < ?"  # noqa: S608 - fixed names
        f" AND body <> '' AND {_DELIVERED[table]} ORDER BY seq LIMIT ?",
        [seq, before_ms, _ROWS_PER_LOOK],
    ):
        seq = rows[-1][0]
        yield rows


def _n_plain(writes: BriefWrites, table: str, before_ms: int) -> int:
    column, _ = TABLES[table]
    query = (
        f"SELECT count(*) FROM {table} AS each WHERE {column} < ?"  # noqa: S608 - as above
        f" AND body <> '' AND {_DELIVERED[table]}"
    )
    n: int = writes.journal.connection.row(query, [before_ms])[0]
    return n


def _newest(writes: BriefWrites, table: str) -> _Dictionary | None:
    row = writes.journal.connection.row(
        "SELECT body, ratio FROM dictionaries WHERE about = ? ORDER BY place DESC LIMIT 1", [table]
    )
    return None if row is None else _Dictionary(_compressor(row[0]), row[1])


def _trained(writes: BriefWrites, table: str, before_ms: int) -> _Dictionary | None:
    """Train a dictionary on the newest bodies that are to be compressed, and write it."""
    from zstandard import ZstdError, train_dictionary

    column, _ = TABLES[table]
    rows = writes.journal.connection.rows(
        f"SELECT body FROM {table} NOT INDEXED WHERE {column} < ? AND body <> ''"  # noqa: S608 - as above
        " ORDER BY seq DESC LIMIT ?",
        [before_ms, _SAMPLES],
    )
    samples = [body.encode() for (body,) in rows]
    if len(samples) < FEWEST:
        return None
    # Never a number of one that was deleted, which another process may still have in use.
    number = _FIRST_NUMBER + secrets.randbelow(_MOST_NUMBERS)
    try:
        trained = train_dictionary(_DICTIONARY_BYTES, samples, dict_id=number).as_bytes()
    except ZstdError:
        return None  # the bodies have nothing in common
    compressor = _compressor(trained)
    packed = sum(len(compressor.compress(sample)) for sample in samples)
    ratio = packed / sum(map(len, samples))
    with writes.one() as sqlite:
        sqlite.execute(
            "INSERT OR IGNORE INTO dictionaries (number, about, ratio, body) VALUES (?, ?, ?, ?)",
            [number, table, ratio, trained],
        )
    return _newest(writes, table)


def _compressor(trained: bytes) -> ZstdCompressor:
    from zstandard import ZstdCompressionDict, ZstdCompressor

    return ZstdCompressor(level=_LEVEL, dict_data=ZstdCompressionDict(trained))
