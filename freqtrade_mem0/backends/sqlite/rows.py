"""SQL for the rows and collections of the vector store, inside a transaction of the caller."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from freqtrade_mem0.backends.filters import AllOf, Condition, matches
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.backends.sqlite import embedders, times
from freqtrade_mem0.backends.sqlite.vectors import compressed_vector
from freqtrade_mem0.backends.vector_rows import (
    compressed_payload,
    decode_payload,
    finite_matrix,
    microseconds,
    wrong_length,
)
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Mapping, Sequence

    from freqtrade_mem0.backends.vector_rows import Vectors


T = TypeVar("T")

_IDS_PER_QUERY = 500

Key = tuple[int, str]
"""Number (`seq`) and id of a row. A row that was replaced has another number."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection in the file; dimensions are None until it holds its first vector.

    `embedder` is the number of the one that made all its vectors, None where that is not known.
    """

    number: int
    dimensions: int | None
    embedder: int | None
    renewals: int


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row of the file."""

    id: str
    vector: bytes
    payload: str | bytes
    """JSON; compressed where it is no text."""


@dataclass(frozen=True, slots=True)
class NewRow(StoredRow):
    """One row to be stored."""

    owners: str
    created_us: int
    words: str


def encode(
    vectors: Vectors,
    payloads: Sequence[Mapping[str, Any]],
    ids: Sequence[str],
) -> list[NewRow]:
    """Prepare rows outside of any transaction; of one id given twice the last counts."""
    matrix = finite_matrix(vectors, "<f4")
    rows = {}
    for vector, payload, each in zip(matrix, payloads, ids, strict=True):
        owners = [payload.get(key) for key in SCOPE_KEYS]
        rows[str(each)] = NewRow(
            id=str(each),
            vector=vector.tobytes(),
            payload=json.dumps(dict(payload), default=str),
            owners=json.dumps(owners, default=str),
            created_us=microseconds(payload.get("created_at")),
            words=_words(payload),
        )
    return list(rows.values())


def _words(payload: Mapping[str, Any]) -> str:
    for key in ("text_lemmatized", "data"):
        text = payload.get(key)
        if isinstance(text, str) and text:
            return text.encode("utf-8", "replace").decode("utf-8")
    return ""


def find_collection(connection: sqlite3.Connection, name: str) -> Collection | None:
    """Return a collection by name, or None."""
    since_3 = "embedder, renewals" if embedders.are_named(connection) else "NULL, 0"
    found = connection.execute(
        f"SELECT collection, dimensions, {since_3} FROM collections WHERE name = ?",  # noqa: S608
        (name,),
    ).fetchone()
    return None if found is None else Collection(*found)


def collection_for_writing(
    connection: sqlite3.Connection, name: str, dimensions: int | None, embedder: int | None
) -> Collection:
    """Return the collection, created if missing, for vectors of an embedder.

    Vectors of another length are refused where nothing tells them from those that are there.
    """
    connection.execute("INSERT OR IGNORE INTO collections (name) VALUES (?)", (name,))
    connection.execute(
        "UPDATE collections SET dimensions = ?, embedder = ? WHERE name = ?"
        " AND (dimensions IS NULL OR NOT EXISTS"
        " (SELECT 1 FROM memories WHERE memories.collection = collections.collection))",
        (dimensions, embedder, name),
    )
    if embedder is not None and dimensions is not None:
        connection.execute(
            "UPDATE collections SET dimensions = ?, embedder = NULL"
            " WHERE name = ? AND embedder IS NOT ?",
            (dimensions, name, embedder),
        )
    collection = find_collection(connection, name)
    if collection is None:
        raise BackendError(f"The collection {name!r} could not be made.")
    if dimensions is not None and collection.dimensions != dimensions:
        raise wrong_length(name, collection.dimensions, dimensions)
    return collection


def raw_rows(
    connection: sqlite3.Connection, collection: Collection | None, ids: Sequence[str]
) -> list[StoredRow]:
    """Return the rows with these ids, in no order."""
    return [row for _, row in _rows_with_seq(connection, collection, ids)]


def rows_by_seq(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[StoredRow]:
    """Return the rows with these seqs, in their order."""
    found = {}
    for part in _parts(seqs):
        for seq, *rest in connection.execute(
            f"SELECT seq, id, vector, payload FROM memories WHERE seq IN ({_marks(part)})",  # noqa: S608
            part,
        ):
            found[seq] = StoredRow(*rest)
    return [found[seq] for seq in seqs]


def keys_by_time(
    connection: sqlite3.Connection, collection: Collection | None, node: AllOf
) -> list[Key]:
    """Return the keys of rows by `(created_at, id)`, of the owners alone that a filter names."""
    if collection is None:
        return []
    of_owners = AllOf(
        tuple(part for part in node.parts if isinstance(part, Condition) and part.key in SCOPE_KEYS)
    )
    scopes = [
        scope
        for scope, owners in connection.execute("SELECT scope, owners FROM scopes")
        if matches(of_owners, dict(zip(SCOPE_KEYS, json.loads(owners), strict=True)))
    ]
    found = connection.execute(
        "SELECT seq, id FROM memories WHERE collection = ?"
        " AND scope IN (SELECT value FROM json_each(?)) ORDER BY created_us, id",
        (collection.number, json.dumps(scopes)),
    )
    return found.fetchall()


def payloads(
    connection: sqlite3.Connection, collection: Collection | None, keys: Sequence[Key]
) -> Iterator[tuple[str, str | bytes]]:
    """Yield id and stored payload of the rows that are there, in the order of `keys`."""
    number = None if collection is None else collection.number
    for part in _parts(keys):
        query = "SELECT id, payload FROM memories WHERE collection = ?"
        seqs = [seq for seq, _ in part]  # to search for an id takes twice as long
        by_seq = f"{query} AND seq IN ({_marks(seqs)})"
        found = dict(connection.execute(by_seq, (number, *seqs)).fetchall())
        if changed := [each for _, each in part if each not in found]:
            by_id = f"{query} AND id IN ({_marks(changed)})"
            found |= dict(connection.execute(by_id, (number, *changed)).fetchall())
        yield from ((each, found[each]) for _, each in part if each in found)


def replace(
    connection: sqlite3.Connection,
    collection: Collection,
    rows: list[NewRow],
    by: int | None,
) -> None:
    """Insert rows that an embedder made; rows with the same content as before are left alone."""
    there = {
        row.id: _content(row) for row in raw_rows(connection, collection, [row.id for row in rows])
    }
    changed = [row for row in rows if row.id not in there or there[row.id] != _content(row)]
    remove(connection, collection, [row.id for row in changed if row.id in there])
    scopes = _scope_numbers(connection, {row.owners for row in changed})
    (last,) = connection.execute(
        "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'memories'"
    ).fetchone()
    numbered = list(enumerate(changed, start=last + 1))
    connection.executemany(
        "INSERT INTO memories (seq, collection, id, scope, created_us, vector, payload, embedder)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (seq, collection.number, r.id, scopes[r.owners], r.created_us, r.vector, r.payload, by)
            for seq, r in numbered
        ],
    )
    times.note(connection, ((seq, row.payload) for seq, row in numbered))
    connection.executemany(
        "INSERT INTO words (rowid, text) VALUES (?, ?)", [(seq, row.words) for seq, row in numbered]
    )


def _content(row: StoredRow) -> tuple[dict[str, Any], bytes]:
    """Return a row without the time it was stored at."""
    payload = decode_payload(row.payload)
    payload.pop("updated_at", None)
    return payload, row.vector


def remove(
    connection: sqlite3.Connection, collection: Collection | None, ids: Sequence[str]
) -> int:
    """Delete rows and leave a tombstone for each; return how many were there."""
    number = None if collection is None else collection.number
    seqs = [
        row
        for part in _parts(list(dict.fromkeys(ids)))
        for row in connection.execute(
            f"SELECT seq FROM memories WHERE collection = ? AND id IN ({_marks(part)})",  # noqa: S608
            (number, *part),
        ).fetchall()
    ]
    connection.executemany("DELETE FROM words WHERE rowid = ?", seqs)
    connection.executemany("DELETE FROM memories WHERE seq = ?", seqs)
    connection.executemany("INSERT INTO tombstones (seq) VALUES (?)", seqs)
    return len(seqs)


def compress(
    connection: sqlite3.Connection,
    collection: Collection | None,
    ids: Sequence[str],
    dimensions: int,
) -> int:
    """Store vectors in a byte per dimension, payloads compressed; return how many were longer.

    The rows keep their numbers: caches that hold the longer vectors stay as good.
    """
    if not dimensions:
        return 0
    long = 4 * dimensions
    found = [
        (
            compressed_vector(row.vector) if len(row.vector) == long else row.vector,
            compressed_payload(row.payload) if isinstance(row.payload, str) else row.payload,
            seq,
        )
        for seq, row in _rows_with_seq(connection, collection, ids)
        if len(row.vector) == long or isinstance(row.payload, str)
    ]
    connection.executemany("UPDATE memories SET vector = ?, payload = ? WHERE seq = ?", found)
    return len(found)


def sizes(connection: sqlite3.Connection, collection: Collection | None) -> dict[str, int]:
    """Return the bytes of vector and payload of each memory, by id."""
    number = None if collection is None else collection.number
    return dict(
        connection.execute(
            "SELECT id, length(vector) + length(CAST(payload AS BLOB)) FROM memories"
            " WHERE collection = ?",
            (number,),
        ).fetchall()
    )


def drop_collection(connection: sqlite3.Connection, name: str) -> None:
    """Delete a collection. Caches notice: created again, it has another number."""
    collection = find_collection(connection, name)
    if collection is None:
        return
    number = (collection.number,)
    connection.execute(
        "DELETE FROM words WHERE rowid IN (SELECT seq FROM memories WHERE collection = ?)", number
    )
    connection.execute("DELETE FROM memories WHERE collection = ?", number)
    connection.execute("DELETE FROM collections WHERE collection = ?", number)


def describe(connection: sqlite3.Connection, name: str) -> dict[str, Any]:
    """Return name, number of memories and dimensions of a collection."""
    collection = find_collection(connection, name)
    if collection is None:
        return {"name": name, "count": 0, "dimensions": None}
    (count,) = connection.execute(
        "SELECT count(*) FROM memories WHERE collection = ?", (collection.number,)
    ).fetchone()
    return {"name": name, "count": count, "dimensions": collection.dimensions}


def _rows_with_seq(
    connection: sqlite3.Connection, collection: Collection | None, ids: Sequence[str]
) -> Iterator[tuple[int, StoredRow]]:
    if collection is None:
        return
    for part in _parts(list(dict.fromkeys(ids))):
        found = connection.execute(
            "SELECT seq, id, vector, payload FROM memories"  # noqa: S608 - only question marks
            f" WHERE collection = ? AND id IN ({_marks(part)})",
            (collection.number, *part),
        ).fetchall()
        for seq, *rest in found:
            yield seq, StoredRow(*rest)


def _scope_numbers(connection: sqlite3.Connection, owners: set[str]) -> dict[str, int]:
    ordered = sorted(owners)
    connection.executemany(
        "INSERT OR IGNORE INTO scopes (owners) VALUES (?)", [(each,) for each in ordered]
    )
    numbers: dict[str, int] = {}
    for part in _parts(ordered):
        numbers.update(
            connection.execute(
                f"SELECT owners, scope FROM scopes WHERE owners IN ({_marks(part)})",  # noqa: S608
                part,
            ).fetchall()
        )
    return numbers


def _parts(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), _IDS_PER_QUERY):
        yield items[start : start + _IDS_PER_QUERY]


def _marks(items: Sequence[object]) -> str:
    return ", ".join("?" * len(items))
