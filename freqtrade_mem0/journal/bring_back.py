"""Undoes archive and compression for what is to be forgotten, so that its rows can be deleted.

A dictionary holds pieces of the texts it was trained on, and a block the bodies of many runs. So
all compressed bodies become plain, dictionaries go, and blocks are written anew without the scope.
The next cycle compresses what is left.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.read import EvidenceReader, OnFile
from freqtrade_mem0.journal.evidence.rows import COLUMNS
from freqtrade_mem0.journal.old_decisions import words_of_old
from freqtrade_mem0.journal.revive import revive
from freqtrade_mem0.journal.stored_bodies import BodyReader, blocked, compressed, unblocked

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from freqtrade_mem0.journal.journal import Journal

_ROWS_PER_WRITE = 200
_ARCHIVED = "is_archived = 1 AND scope IN (SELECT number FROM scopes WHERE {})"
_OLD = "scope IN (SELECT number FROM scopes WHERE {})"


def count_archived(journal: Journal, where: str, values: Sequence[Any]) -> Counter[str]:
    """Count archived records and decisions; `where` is a condition on the table of scopes."""
    archived, old = _ARCHIVED.format(where), _OLD.format(where)
    row = journal.connection.row
    return Counter(
        records=row(f"SELECT count(*) FROM evidence WHERE {archived}", values)[0],  # noqa: S608 - as all here: our own texts
        decisions=row(f"SELECT count(*) FROM old_decisions WHERE {old}", values)[0],  # noqa: S608
    )


def bring_back(journal: Journal, where: str, values: Sequence[Any]) -> Counter[str]:
    """Bring archived records of a scope back, and delete what can not come back; see the module.

    Returns how many rows were deleted, by table.
    """
    done: Counter[str] = Counter()
    while _unpack_some(journal):
        pass
    with journal.connection.write() as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        sqlite.execute("DELETE FROM dictionaries")
        old = _OLD.format(where)
        deleted = sqlite.execute(f"DELETE FROM old_decisions WHERE {old}", values)  # noqa: S608
        done["decisions"] += deleted.rowcount
    archived = f"SELECT seq FROM evidence WHERE {_ARCHIVED.format(where)}"  # noqa: S608
    seqs = [seq for (seq,) in journal.connection.rows(archived, values)]
    for start in range(0, len(seqs), _ROWS_PER_WRITE):
        with journal.connection.write() as sqlite:
            sqlite.execute("PRAGMA secure_delete = ON")
            revive(sqlite, seqs[start : start + _ROWS_PER_WRITE])
    _rewrite_blocks(journal, set(seqs))
    with journal.connection.write() as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        gone = _ARCHIVED.format(where)  # their bodies are gone
        deleted = sqlite.execute(f"DELETE FROM evidence WHERE {gone}", values)  # noqa: S608
        done["records"] += deleted.rowcount
    return done


def forget_words(journal: Journal) -> None:
    """Delete the scopes and words that nothing uses any more."""
    with journal.connection.write() as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        reader = EvidenceReader(OnFile(sqlite))
        used: set[int] = set()
        for row in sqlite.execute(f"SELECT {COLUMNS} FROM evidence"):  # noqa: S608
            try:
                used |= reader.words_in(row)
            except RecordError:
                used.add(row[3])  # its other words are lost with it
        for pair, facts in sqlite.execute("SELECT pair, facts FROM old_decisions"):
            used |= {pair, *words_of_old(facts)}
        unused = [(n,) for (n,) in sqlite.execute("SELECT number FROM words") if n not in used]
        sqlite.executemany("DELETE FROM words WHERE number = ?", unused)
        sqlite.execute(
            "DELETE FROM scopes WHERE number NOT IN (SELECT scope FROM evidence)"
            " AND number NOT IN (SELECT scope FROM old_decisions)"
        )


def _unpack_some(journal: Journal) -> bool:
    """Make some compressed bodies plain; return whether there were any."""
    with journal.connection.write() as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")
        numbers = sqlite.execute(
            "SELECT number, body_of(number, '') FROM packed LIMIT ?", [_ROWS_PER_WRITE]
        ).fetchall()
        for number, body in numbers:
            table = "records" if number > 0 else "decisions"
            sqlite.execute(
                f"UPDATE {table} SET body = ? WHERE seq = ? AND body = ''",  # noqa: S608
                [body, abs(number)],
            )
        sqlite.executemany("DELETE FROM packed WHERE number = ?", [(n,) for n, _ in numbers])
    return bool(numbers)


def _rewrite_blocks(journal: Journal, seqs: set[int]) -> None:
    """Write blocks anew without some records, one in a transaction."""
    for (first,) in journal.connection.rows("SELECT first FROM blocks"):
        with journal.connection.write() as sqlite:
            sqlite.execute("PRAGMA secure_delete = ON")
            _rewrite_block(sqlite, first, seqs)


def _rewrite_block(sqlite: sqlite3.Connection, first: int, seqs: set[int]) -> None:
    row = sqlite.execute("SELECT bodies FROM blocks WHERE first = ?", [first]).fetchone()
    if row is None:
        return
    bodies = unblocked(BodyReader(sqlite).plain(row[0]))
    left = {seq: body for seq, body in bodies.items() if seq not in seqs}
    if len(left) < len(bodies):
        sqlite.execute("DELETE FROM blocks WHERE first = ?", [first])
    if left and len(left) < len(bodies):
        sqlite.execute(
            "INSERT INTO blocks (first, last, bodies) VALUES (?, ?, ?)",
            [first, max(left), compressed(blocked(left))],
        )
