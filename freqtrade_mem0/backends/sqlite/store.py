"""A vector store for Mem0 in one SQLite file: exact search, several processes, nothing to install.

`mem0_setup` registers it with Mem0 as the provider "sqlite". It promises more than Mem0's other
embedded stores:

* any number of threads and processes may read and write one file at once;
* each `insert` is one transaction, on disk when it returns; an id that is there is replaced;
* filters mean what `filters` says, nested to any depth, in `search`, `list` and `count` alike;
* `list` is ordered by `(created_at, id)` and returns everything unless limited;
* similarity is exact (no approximate index), with scores in [0, 1] and a repeatable order.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.backends.exact_store import ExactStore, Names, Rows
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.payload import stored_since
from freqtrade_mem0.backends.sqlite import ranking, times
from freqtrade_mem0.backends.sqlite import rows as store_rows
from freqtrade_mem0.backends.sqlite.embedders import maker, renew
from freqtrade_mem0.backends.sqlite.file import SqliteFile
from freqtrade_mem0.backends.sqlite.keywords import overlap
from freqtrade_mem0.backends.sqlite.shrinking import shrink
from freqtrade_mem0.backends.sqlite.vector_cache import VectorCache
from freqtrade_mem0.backends.sqlite.vectors import decoded
from freqtrade_mem0.backends.vector_rows import (
    Row,
    decode_payload,
    for_mem0,
    payload_for_mem0,
    wrong_length,
)
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from freqtrade_mem0.backends.port import GroupKey
    from freqtrade_mem0.backends.sqlite.rows import Key
    from freqtrade_mem0.backends.vector_rows import Vectors


class SqliteStore(ExactStore):
    """One collection of memories in a store file; safe to share between threads.

    Parameters
    ----------
    path
        The store file; created where it is missing.
    collection_name
        A file may hold several; Mem0 makes a second one for its entities.
    embedding_model_dims
        Length of the vectors; None takes it from the first vector that is stored.
    embedder
        Name of what makes the vectors. Those of another one are not compared with, and can be
        made anew (`renew`). Without a name, only the length of vectors is checked.
    """

    def __init__(
        self,
        path: str | Path,
        collection_name: str = "memories",
        embedding_model_dims: int | None = None,
        embedder: str = "",
    ) -> None:
        self.collection_name = collection_name
        self.embedding_model_dims = embedding_model_dims
        self._file = SqliteFile(Path(path))
        self._embedder = embedder
        self._cache: VectorCache | None = None

    def _create(self, name: str, vector_size: int | None) -> None:
        with self._file.writing() as connection:
            made = maker(connection, self._embedder, for_writing=True)
            store_rows.collection_for_writing(connection, name, vector_size, made.number)

    def _replace(
        self,
        vectors: Sequence[Sequence[float]],
        payloads: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
    ) -> None:
        rows = store_rows.encode(vectors, payloads, ids)
        with self._file.writing() as connection:
            made = maker(connection, self._embedder, for_writing=True)
            collection = store_rows.collection_for_writing(
                connection, self.collection_name, len(vectors[0]), made.number
            )
            store_rows.replace(connection, collection, rows, made.number)

    def update(
        self,
        vector_id: str,
        vector: Sequence[float] | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace the vector, the payload or both of one memory that is there."""
        with self._file.writing() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            found = store_rows.raw_rows(connection, collection, [vector_id])
            if not found:
                raise BackendError(f"There is no memory {vector_id} to update.", permanent=True)
            rows = store_rows.encode(
                [_vector(collection, found[0]) if vector is None else vector],
                [payload_for_mem0(found[0].payload) if payload is None else payload],
                [vector_id],
            )
            made = maker(connection, self._embedder, for_writing=True)
            collection = store_rows.collection_for_writing(
                connection, self.collection_name, len(rows[0].vector) // 4, made.number
            )
            store_rows.replace(connection, collection, rows, made.number)

    def delete_many(self, ids: Iterable[str]) -> int:
        """Delete memories in one transaction; return how many were there."""
        with self._file.writing() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            return store_rows.remove(connection, collection, list(ids))

    def compress(self, ids: Sequence[str]) -> int:
        """Store the vectors of these memories in a byte per dimension; return how many it did."""
        with self._file.writing() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            return store_rows.compress(connection, collection, ids, self._dimensions(collection))

    def renew(self, embed: Callable[[Sequence[str]], Vectors], limit: int) -> int:
        """Make new vectors for up to `limit` rows of other embedders; see `embedders.renew`."""
        return renew(self._file, self._embedder, embed, limit) if self._embedder else 0

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of vector and payload of each memory, by id."""
        with self._file.reading() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            return store_rows.sizes(connection, collection)

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:
        """Give the space of deleted memories back to the disk; see `MemoryBackend.shrink`."""
        return shrink(self._file, pause, alone=alone)

    def get_many(self, ids: Sequence[str]) -> Rows:
        """Return those of the memories that are there, in the order of `ids`."""
        with self._file.reading() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            found = store_rows.raw_rows(connection, collection, ids)
        by_id = {row.id: Row(row.id, None, payload_for_mem0(row.payload)) for row in found}
        return [by_id[each] for each in ids if each in by_id]

    def search(
        self,
        query: str,  # noqa: ARG002 - Mem0 hands the text to every store, with its vector
        vectors: Sequence[float],
        top_k: int | None = 5,
        filters: Mapping[str, Any] | None = None,
    ) -> Rows:
        """Return the `top_k` memories (None: all) most similar to the vector `vectors`."""
        with self._current() as (connection, cache):
            if cache is None:
                return []
            if len(vectors) != cache.dimensions:
                raise wrong_length(self.collection_name, cache.dimensions, len(vectors))
            positions = cache.select(connection, parse_filters(filters))
            scores = cache.similarities(np.asarray(vectors, dtype=np.float32), positions)
            return _best(connection, cache, positions, scores, top_k)

    def keyword_search(
        self, query: str, top_k: int | None = 5, filters: Mapping[str, Any] | None = None
    ) -> Rows:
        """Return the `top_k` memories that share words with `query`; see `keywords.overlap`."""
        with self._current() as (connection, cache):
            if cache is None:
                return []
            positions = cache.select(connection, parse_filters(filters))
            weights, _ = overlap(connection, cache, query)
            positions = positions[weights[positions] > 0.0]
            return _best(connection, cache, positions, weights[positions], top_k)

    def find(
        self,
        query: str,
        vector: Sequence[float],
        top_k: int,
        filters: Mapping[str, Any] | None = None,
    ) -> Rows:
        """Return the `top_k` memories that are nearest to a question in meaning and in words.

        The score is the mean of the cosine and of the share of the question's words that the row
        holds, weighted by their rarity. `vector` is that of the question.
        """
        with self._current() as (connection, cache):
            if cache is None:
                return []
            if len(vector) != cache.dimensions:
                raise wrong_length(self.collection_name, cache.dimensions, len(vector))
            positions = cache.select(connection, parse_filters(filters))
            scores = cache.similarities(np.asarray(vector, dtype=np.float32), positions)
            weights, whole = overlap(connection, cache, query)
            if whole > 0.0:
                scores = (scores + np.minimum(weights[positions] / whole, 1.0)) / 2
            return _best(connection, cache, positions, scores, top_k)

    def list_ids(self, filters: Mapping[str, Any] | None = None) -> Names:
        """Return the ids of all memories that pass, by `(created_at, id)`."""
        node = parse_filters(filters)
        with self._current() as (connection, cache):
            if cache is None:
                return []
            return [cache.ids[at] for at in cache.in_time_order(cache.select(connection, node))]

    def pages(
        self, filters: Mapping[str, Any] | None, size: int, since: datetime | None = None
    ) -> Iterator[Rows]:
        """Return pages of the memories that pass and were stored `since`, by `(created_at, id)`.

        Each is read once, when its page is, and nothing of it is kept for later searches.
        """
        wanted = stored_since(dict(filters or {}), since)
        keys = self.keys_by_time(filters, since)
        return (self.page(keys[at : at + size], wanted) for at in range(0, len(keys), size))

    def keys_by_time(
        self, filters: Mapping[str, Any] | None, since: datetime | None = None
    ) -> Sequence[Key]:
        """Return keys by `(created_at, id)`, among them those of all memories that pass.

        A filter's owners are looked at, and `since` where times are noted; no memory is read.
        """
        node = parse_filters(filters)
        with self._file.reading() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            if since is not None and times.are_noted(connection):
                number = None if collection is None else collection.number
                return times.keys_since(connection, number, since)
            return store_rows.keys_by_time(connection, collection, node)

    def page(self, keys: Sequence[Key], filters: Mapping[str, Any] | None) -> Rows:
        """Return those of some memories that are there and pass."""
        node = parse_filters(filters)
        with self._file.reading() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            found = [
                (each, decode_payload(text))
                for each, text in store_rows.payloads(connection, collection, keys)
            ]
        return [Row(each, None, for_mem0(told)) for each, told in found if matches(node, told)]

    def count(
        self, filters: Mapping[str, Any] | None = None, by: Sequence[str] = ()
    ) -> dict[GroupKey, int]:
        """Count memories that pass, in groups by the keys `by`; see `MemoryBackend.count`."""
        node = parse_filters(filters)
        with self._current() as (connection, cache):
            if cache is None:
                return {} if by else {(): 0}
            positions = cache.select(connection, node)
            return cache.count_groups(connection, positions, by)

    def list_cols(self) -> Names:
        """Return the names of all collections in the file."""
        with self._file.reading() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM collections")]

    def delete_col(self) -> None:
        """Delete the collection with all its memories."""
        with self._file.writing() as connection:
            store_rows.drop_collection(connection, self.collection_name)

    def col_info(self) -> dict[str, Any]:
        """Return name, number of memories and dimensions of the collection."""
        with self._file.reading() as connection:
            return store_rows.describe(connection, self.collection_name)

    def reset(self) -> None:
        """Delete the memories of this collection; it stays, empty."""
        with self._file.writing() as connection:
            store_rows.drop_collection(connection, self.collection_name)
            made = maker(connection, self._embedder, for_writing=True)
            store_rows.collection_for_writing(
                connection, self.collection_name, self.embedding_model_dims, made.number
            )

    def rest(self) -> None:
        """Close the file until it is used again."""
        self._file.rest()

    def close(self) -> None:
        """Close the file; closing again does nothing."""
        self._file.close()
        self._cache = None

    @contextmanager
    def _current(self) -> Iterator[tuple[sqlite3.Connection, VectorCache | None]]:
        """Give a reading connection and the cache at its state; None for an empty collection."""
        with self._file.reading() as connection:
            collection = store_rows.find_collection(connection, self.collection_name)
            if collection is None or collection.dimensions is None:
                yield connection, None
                return
            wanted = (collection, self._dimensions(collection), maker(connection, self._embedder))
            cache = self._cache
            if cache is None or not cache.is_for(*wanted):
                cache = VectorCache(*wanted)
            self._cache = None  # if the refresh fails half-way, the next call fills a new one
            cache.refresh(connection)
            self._cache = cache
            yield connection, cache

    def _dimensions(self, collection: store_rows.Collection | None) -> int:
        """Return the length of our embedder's vectors; those that are there may be of others."""
        known = None if collection is None else collection.dimensions
        return (self.embedding_model_dims if self._embedder else None) or known or 0


def _vector(collection: store_rows.Collection | None, row: store_rows.StoredRow) -> Any:
    known = None if collection is None else collection.dimensions
    return decoded([row.vector], known or len(row.vector) // 4)[0]


def _best(
    connection: sqlite3.Connection,
    cache: VectorCache,
    positions: NDArray[np.int64],
    scores: NDArray[np.float32],
    top_k: int | None,
) -> list[Row]:
    best = ranking.best(positions, scores, top_k)
    scores = scores[best]
    found = store_rows.rows_by_seq(connection, cache.seqs_at(positions[best]))
    return [
        Row(row.id, score, payload_for_mem0(row.payload))
        for row, score in zip(found, scores.tolist(), strict=True)
    ]
