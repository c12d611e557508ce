"""Which embedder made which vector of the store, and new vectors for those of another one.

Vectors of two embedders say nothing about each other and are never compared. Until a row has its
new vector, a search finds it by its words alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.sqlite.vectors import compressed_vector
from freqtrade_mem0.backends.vector_rows import decode_payload, finite_matrix
from freqtrade_mem0.config.providers import SEMANTIC

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.backends.sqlite.file import SqliteFile
    from freqtrade_mem0.backends.vector_rows import Vectors

_FLOAT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Maker:
    """An embedder as the file knows it.

    `number` is None where it has no name. `made_unnamed` tells whether rows without an embedder,
    stored before format 3, are taken for its own, as they were then.
    """

    number: int | None
    made_unnamed: bool

    def made(self, number: int | None) -> bool:
        """Tell whether a row with this embedder is its own."""
        return number == self.number or (number is None and self.made_unnamed)

    @property
    def own(self) -> tuple[int | None, int | None]:
        """Return the two values of `embedder` that its rows have, for SQL."""
        return self.number, None if self.made_unnamed else self.number


@dataclass(frozen=True, slots=True)
class Stale:
    """A row whose vector another embedder made."""

    seq: int
    text: str
    n_bytes: int


def are_named(connection: sqlite3.Connection) -> bool:
    """Tell whether the file names embedders; a read-only one of an earlier format does not."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(version >= 3)  # noqa: PLR2004 - see `file.FORMAT_VERSION`


def maker(connection: sqlite3.Connection, name: str, *, for_writing: bool = False) -> Maker:
    """Return an embedder by its name, "" for one without; a writer gives it a number."""
    # The semantic embedder is younger than format 3.
    made_unnamed = name.split(" ", maxsplit=1)[0] != SEMANTIC
    if not name or not are_named(connection):
        return Maker(None, made_unnamed)
    if for_writing:
        connection.execute("INSERT OR IGNORE INTO embedders (name) VALUES (?)", (name,))
    found = connection.execute("SELECT embedder FROM embedders WHERE name = ?", (name,)).fetchone()
    return Maker(-1 if found is None else int(found[0]), made_unnamed)


def renew(
    file: SqliteFile, name: str, embed: Callable[[Sequence[str]], Vectors], limit: int
) -> int:
    """Make new vectors for up to `limit` rows of other embedders; return how many it made.

    Nobody waits for the embedder: it works between two short transactions.
    """
    n_done = 0
    with file.reading() as connection:
        by = maker(connection, name)
        collections = connection.execute(
            "SELECT collection FROM collections WHERE embedder IS NOT ?", (by.number,)
        ).fetchall()
    for (collection,) in collections:
        with file.reading() as connection:
            stale = _stale_rows(connection, collection, by, limit - n_done)
        vectors = embed([row.text for row in stale]) if stale else []
        with file.writing() as connection:
            by = maker(connection, name, for_writing=True)
            if stale:
                _store(connection, collection, by, stale, vectors)
            if len(stale) < limit - n_done:
                _settle(connection, collection, by)
        n_done += len(stale)
    return n_done


def _stale_rows(
    connection: sqlite3.Connection, collection: int, by: Maker, limit: int
) -> list[Stale]:
    return [
        Stale(seq, str(decode_payload(payload).get("data") or ""), n_bytes)
        for seq, payload, n_bytes in connection.execute(
            "SELECT seq, payload, length(vector) FROM memories WHERE collection = ?"
            " AND embedder IS NOT ? AND embedder IS NOT ? ORDER BY seq LIMIT ?",
            (collection, *by.own, limit),
        )
    ]


def _store(
    connection: sqlite3.Connection,
    collection: int,
    by: Maker,
    rows: Sequence[Stale],
    vectors: Vectors,
) -> None:
    """Give rows their new vectors; those that are gone meanwhile stay away.

    A vector that was compressed is compressed again.
    """
    matrix = finite_matrix(vectors, "<f4")
    long = _FLOAT_BYTES * matrix.shape[1]
    new = [
        (compressed_vector(v.tobytes()) if row.n_bytes < long else v.tobytes(), by.number, row.seq)
        for row, v in zip(rows, matrix, strict=True)
    ]
    connection.executemany("UPDATE memories SET vector = ?, embedder = ? WHERE seq = ?", new)
    connection.execute(
        "UPDATE collections SET dimensions = ?, renewals = renewals + 1 WHERE collection = ?",
        (matrix.shape[1], collection),
    )


def _settle(connection: sqlite3.Connection, collection: int, by: Maker) -> None:
    """Note that a collection has no vector of another embedder, if that is so."""
    connection.execute(
        "UPDATE collections SET embedder = ? WHERE collection = ? AND NOT EXISTS (SELECT 1"
        " FROM memories WHERE collection = ? AND embedder IS NOT ? AND embedder IS NOT ?)",
        (by.number, collection, collection, *by.own),
    )
