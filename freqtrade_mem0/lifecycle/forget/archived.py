"""Takes a scope out of what many rows share: blocks, dictionaries, words and names of runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.bodies.pack import TABLES, pack
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.evidence.read import EvidenceReader
from freqtrade_mem0.journal.evidence.rows import COLUMNS
from freqtrade_mem0.journal.evidence.sources import OnFile
from freqtrade_mem0.journal.old_decisions import words_of_old
from freqtrade_mem0.journal.stored_bodies import BodyReader, blocked, compressed, unblocked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.journal.journal import Journal

_ROWS_PER_WRITE = 40


def trim_blocks(sqlite: sqlite3.Connection, seqs: Sequence[int]) -> int:
    """Take records out of the blocks they are in, in the caller's transaction; return how many."""
    gone, n_gone, reader = set(seqs), 0, BodyReader(sqlite)
    blocks = sqlite.execute(
        "SELECT first, bodies FROM blocks WHERE first <= ? AND last >= ?", [max(seqs), min(seqs)]
    ).fetchall()
    for first, packed in blocks:
        bodies = unblocked(reader.plain(packed))
        left = {seq: body for seq, body in bodies.items() if seq not in gone}
        if len(left) < len(bodies):
            n_gone += len(bodies) - len(left)
            sqlite.execute("DELETE FROM blocks WHERE first = ?", [first])
            if left:
                sqlite.execute(
                    "INSERT INTO blocks (first, last, bodies) VALUES (?, ?, ?)",
                    [first, max(left), compressed(blocked(left))],
                )
    return n_gone


def renew_dictionaries(journal: Journal, point: Callable[[], None]) -> int:
    """Compress bodies with dictionaries that were trained on what is left; return how many went.

    A dictionary consists of texts that it was trained on.
    """
    if journal.connection.row("SELECT 1 FROM dictionaries WHERE about <> ''") is None:
        return 0
    newest = {table: _unpack(journal, table, sign, point) for table, (_, sign) in TABLES.items()}
    with journal.connection.write() as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        # The numbers are not given again: other connections know the dictionaries by them.
        n_gone = sqlite.execute("UPDATE dictionaries SET about = '', body = zeroblob(0)").rowcount
        sqlite.execute(
            "DELETE FROM dictionaries WHERE number < (SELECT max(number) FROM dictionaries)"
        )
    point()
    for table, newest_ms in newest.items():
        pack(BriefWrites(journal), table, newest_ms + 1)
        point()
    return n_gone


def _unpack(journal: Journal, table: str, sign: int, point: Callable[[], None]) -> int:
    """Write compressed bodies as they were; return the newest time of any of them."""
    column, newest_ms, seq, writes = TABLES[table][0], -1, 0, BriefWrites(journal)
    while True:
        with writes.one() as sqlite:
            sqlite.execute("PRAGMA secure_delete = ON")
            rows = sqlite.execute(
                f"SELECT seq, {column}, body_of(?1 * seq, '') FROM {table} AS each"  # noqa: S608
                " JOIN packed ON packed.number = ?1 * seq WHERE seq > ?2 AND each.body = ''"
                " ORDER BY seq LIMIT ?3",
                [sign, seq, _ROWS_PER_WRITE],
            ).fetchall()
            sqlite.executemany(
                f"UPDATE {table} SET body = ? WHERE seq = ?",  # noqa: S608
                [(body, each) for each, _, body in rows if body],
            )
            sqlite.executemany(
                "DELETE FROM packed WHERE number = ?",
                [(sign * each,) for each, _, body in rows if body],
            )
        if not rows:
            return newest_ms
        seq = rows[-1][0]
        newest_ms = max(newest_ms, *(each for _, each, _ in rows))
        point()


def drop_unused_texts(journal: Journal) -> int:
    """Delete names of runs and words that no row needs any more; return how many."""
    with journal.connection.read() as sqlite:
        sqlite.execute("BEGIN")
        try:
            used, last = _used(sqlite, (0, 0))
        finally:
            sqlite.execute("ROLLBACK")
    with journal.connection.write() as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        used |= _used(sqlite, last)[0]  # what others wrote meanwhile
        n_gone = sqlite.execute(
            "DELETE FROM words WHERE number NOT IN (SELECT value FROM json_each(?))",
            [json.dumps(sorted(used))],
        ).rowcount
        return (
            n_gone
            + sqlite.execute(
                "DELETE FROM scopes WHERE number NOT IN (SELECT scope FROM evidence)"
                " AND number NOT IN (SELECT scope FROM old_decisions)"
            ).rowcount
        )


def _used(sqlite: sqlite3.Connection, after: tuple[int, int]) -> tuple[set[int], tuple[int, int]]:
    """Return the numbers of words that rows after these use, and the last rows."""
    used: set[int] = set()
    last, last_old = after
    reader = EvidenceReader(OnFile(sqlite))
    query = f"SELECT {COLUMNS} FROM evidence WHERE seq > ?"  # noqa: S608 - ours
    for row in sqlite.execute(query, [after[0]]):
        last = max(last, row[0])
        try:
            used |= reader.words_in(row)
        except RecordError:
            used.add(row[3])  # it is damaged; its other words are lost with it
    for seq, pair, facts in sqlite.execute(
        "SELECT seq, pair, facts FROM old_decisions WHERE seq > ?", [after[1]]
    ):
        last_old = max(last_old, seq)
        used |= {pair, *words_of_old(facts)}
    return used, (last, last_old)
