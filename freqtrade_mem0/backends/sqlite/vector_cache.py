"""The vectors of one collection in memory, so that a search is a mask and a matrix product.

The cache is filled at the first search. Later ones read only what changed: added rows have a higher
`seq`, deleted rows are named by tombstones (see `file`).

It takes `4 * dimensions + about 150` bytes per row (0.7 KB at 128 dimensions, 33 MB for 50,000
rows). Each key that a filter asked about adds 4 bytes per row and its distinct values; at most
`_MAX_COLUMNS` keys are kept.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.backends.sqlite.columns import Column, keys_of, mask_of
from freqtrade_mem0.backends.sqlite.embedders import are_named
from freqtrade_mem0.backends.sqlite.vectors import decoded
from freqtrade_mem0.backends.vector_rows import decode_payload

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from freqtrade_mem0.backends.filters import Node
    from freqtrade_mem0.backends.port import GroupKey
    from freqtrade_mem0.backends.sqlite.embedders import Maker
    from freqtrade_mem0.backends.sqlite.rows import Collection
    from freqtrade_mem0.records.memory import Scalar

_MAX_COLUMNS = 32
_ROWS_PER_READ = 5_000
_WORTH_REPACKING = 1_000  # deleted rows; with fewer, their places are left empty


@dataclass(frozen=True, slots=True)
class WordRows:
    """The rows that hold a word: how many the file has, and where those of the collection are."""

    n_rows: int
    positions: NDArray[np.int32]


class VectorCache:
    """Vectors, scopes and filter columns of one collection. Guarded by the store's read lock."""

    def __init__(self, collection: Collection, dimensions: int, embedder: Maker) -> None:
        self.collection = collection.number
        self.dimensions = dimensions
        self._embedder = embedder
        self._made_for = (collection.number, collection.renewals, dimensions, embedder)
        self._clear()

    def is_for(self, collection: Collection, dimensions: int, embedder: Maker) -> bool:
        """Tell whether the vectors in memory are those of this collection and embedder."""
        wanted = (collection.number, collection.renewals, dimensions, embedder)
        return self._made_for == wanted

    def _clear(self) -> None:
        self.n_rows = 0
        self.ids: list[str] = []
        self._matrix = np.zeros((0, self.dimensions), dtype=np.float32)
        self._seqs = np.zeros(0, dtype=np.int64)
        self._created_us = np.zeros(0, dtype=np.int64)
        self._scopes = np.zeros(0, dtype=np.int32)
        self._alive = np.zeros(0, dtype=np.bool_)
        self._n_dead = 0
        self._last_seq = 0
        self._last_tombstone: int | None = None
        self._scope_columns = {key: Column() for key in SCOPE_KEYS}
        self._columns: dict[str, Column] = {}
        self.common_words: set[str] = set()
        """Words that too many rows hold to tell them apart."""
        self.rows_by_word: dict[str, WordRows] = {}
        """The rows of the words that were asked for, as long as nobody writes to the file."""
        self._data_version = -1

    @property
    def n_alive(self) -> int:
        """How many rows were not deleted."""
        return self.n_rows - self._n_dead

    def refresh(self, connection: sqlite3.Connection) -> None:
        """Catch up with the file as `connection` sees it, inside one read transaction."""
        first, last = connection.execute("SELECT min(n), max(n) FROM tombstones").fetchone()
        known = self._last_tombstone
        if known is None or (first is not None and first > known + 1):
            self._clear()  # never filled, or so far behind that tombstones it needs are gone
            known = last if last is not None else 0
        (version,) = connection.execute("PRAGMA data_version").fetchone()
        if version != self._data_version:
            self.rows_by_word.clear()
            self._data_version = version
        self._read_scopes(connection)
        self._read_rows(connection)
        self._drop_dead(connection, known)
        self._last_tombstone = last if last is not None else known
        if self._n_dead > _WORTH_REPACKING and 4 * self._n_dead > self.n_rows:
            self._clear()
            self.refresh(connection)

    def select(self, connection: sqlite3.Connection, node: Node) -> NDArray[np.int64]:
        """Return the positions of the rows that pass a filter, by `seq`."""
        self._read_columns(connection, keys_of(node))
        mask = mask_of(node, self.column, self.n_rows)
        return np.flatnonzero(mask & self._alive[: self.n_rows])

    def column(self, key: str) -> Column:
        """Return the column of a key that `select` or `count_groups` has read."""
        if key in self._scope_columns:
            return self._scope_columns[key].spread(self._scopes[: self.n_rows])
        return self._columns[key]

    def similarities(
        self, vector: NDArray[np.float32], positions: NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return the cosine of `vector` with the rows at `positions`, clipped to [0, 1]."""
        unit = _unit_rows(vector.reshape(1, -1))[0]
        # Not `@`: BLAS would wait for threads of its own, which other work keeps from running.
        if 3 * len(positions) < self.n_rows:
            cosines = np.einsum("ij,j->i", self._matrix[positions], unit)
        else:  # copying most rows would cost more than multiplying all
            cosines = np.einsum("ij,j->i", self._matrix[: self.n_rows], unit)[positions]
        scores: NDArray[np.float32] = np.clip(cosines, 0.0, 1.0)
        return scores

    def positions_of(self, seqs: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the positions of the rows with these seqs; -1 for other collections' rows."""
        if self.n_rows == 0:
            return np.full(len(seqs), -1, dtype=np.int64)
        known = self._seqs[: self.n_rows]
        places = np.minimum(np.searchsorted(known, seqs), self.n_rows - 1)
        return np.where(known[places] == seqs, places, -1)

    def seqs_at(self, positions: NDArray[np.int64]) -> list[int]:
        """Return the seqs of the rows at `positions`."""
        seqs: list[int] = self._seqs[positions].tolist()
        return seqs

    def in_time_order(self, positions: NDArray[np.int64]) -> list[int]:
        """Return `positions` ordered by creation time, then id."""
        times = self._created_us.tolist()
        return sorted(positions.tolist(), key=lambda at: (times[at], self.ids[at]))

    def count_groups(
        self, connection: sqlite3.Connection, positions: NDArray[np.int64], by: Sequence[str]
    ) -> dict[GroupKey, int]:
        """Count rows by the values of some keys; lists and objects count by their JSON."""
        if not by:
            return {(): len(positions)}
        self._read_columns(connection, set(by))
        columns = [self.column(key) for key in by]
        codes = np.stack([column.codes[positions] for column in columns], axis=1)
        combinations, counts = np.unique(codes, axis=0, return_counts=True)
        groups: Counter[GroupKey] = Counter()
        for combination, n in zip(combinations.tolist(), counts.tolist(), strict=True):
            pairs = zip(columns, combination, strict=True)
            groups[tuple(_scalar(column.values[code]) for column, code in pairs)] += n
        return dict(groups)

    def _read_scopes(self, connection: sqlite3.Connection) -> None:
        known = len(self._scope_columns["user_id"].codes)
        found = connection.execute(
            "SELECT scope, owners FROM scopes WHERE scope >= ? ORDER BY scope", (known,)
        ).fetchall()
        if not found:
            return
        owners = [json.loads(text) for _, text in found]
        places = np.array([scope for scope, _ in found], dtype=np.int64)
        for at, key in enumerate(SCOPE_KEYS):
            column = self._scope_columns[key]
            column.extend(int(places[-1]) + 1, places, (owner[at] for owner in owners))

    def _read_rows(self, connection: sqlite3.Connection) -> None:
        made_by = "embedder" if are_named(connection) else "NULL"
        cursor = connection.execute(
            f"SELECT seq, id, scope, created_us, vector, {made_by} FROM memories"  # noqa: S608
            " WHERE collection = ? AND seq > ? ORDER BY seq",
            (self.collection, self._last_seq),
        )
        while rows := cursor.fetchmany(_ROWS_PER_READ):
            start, stop = self.n_rows, self.n_rows + len(rows)
            self._make_room(stop)
            seqs, ids, scopes, times, blobs, makers = zip(*rows, strict=True)
            # A vector of another embedder is left out, and so similar to nothing.
            pairs = zip(blobs, makers, strict=True)
            vectors = [blob if self._embedder.made(each) else b"" for blob, each in pairs]
            self._seqs[start:stop] = seqs
            self._scopes[start:stop] = scopes
            self._created_us[start:stop] = times
            self._alive[start:stop] = True
            self._matrix[start:stop] = _unit_rows(decoded(vectors, self.dimensions))
            self.ids.extend(ids)
            self.n_rows = stop
            self._last_seq = seqs[-1]

    def _make_room(self, n_rows: int) -> None:
        room = len(self._seqs)
        if n_rows <= room:
            return
        more = max(n_rows, room + room // 2) - room
        self._matrix = np.concatenate(
            [self._matrix, np.zeros((more, self.dimensions), dtype=np.float32)]
        )
        self._seqs = np.concatenate([self._seqs, np.zeros(more, dtype=np.int64)])
        self._created_us = np.concatenate([self._created_us, np.zeros(more, dtype=np.int64)])
        self._scopes = np.concatenate([self._scopes, np.zeros(more, dtype=np.int32)])
        self._alive = np.concatenate([self._alive, np.zeros(more, dtype=np.bool_)])

    def _drop_dead(self, connection: sqlite3.Connection, after: int) -> None:
        dead = connection.execute("SELECT seq FROM tombstones WHERE n > ?", (after,)).fetchall()
        if not dead:
            return
        positions = self.positions_of(np.array([seq for (seq,) in dead], dtype=np.int64))
        positions = positions[positions >= 0]
        self._n_dead += int(np.count_nonzero(self._alive[positions]))
        self._alive[positions] = False

    def _read_columns(self, connection: sqlite3.Connection, keys: set[str]) -> None:
        wanted = keys - set(SCOPE_KEYS)
        for key in sorted(wanted):  # least recently used keys come first
            self._columns[key] = self._columns.pop(key) if key in self._columns else Column()
        while len(self._columns) > max(_MAX_COLUMNS, len(wanted)):
            del self._columns[next(iter(self._columns))]
        behind: dict[int, list[str]] = {}
        for key in wanted:
            behind.setdefault(len(self._columns[key].codes), []).append(key)
        behind.pop(self.n_rows, None)
        for n_known, group in behind.items():
            self._extend_columns(connection, n_known, group)

    def _extend_columns(
        self, connection: sqlite3.Connection, n_known: int, keys: list[str]
    ) -> None:
        cursor = connection.execute(
            "SELECT seq, payload FROM memories WHERE collection = ? AND seq >= ? ORDER BY seq",
            (self.collection, int(self._seqs[n_known])),
        )
        seqs: list[int] = []
        values: dict[str, list[object]] = {key: [] for key in keys}
        for seq, text in cursor:
            payload = decode_payload(text)
            seqs.append(seq)
            for key in keys:
                values[key].append(payload.get(key))
        positions = self.positions_of(np.array(seqs, dtype=np.int64))
        for key in keys:
            self._columns[key].extend(self.n_rows, positions, values[key])


def _scalar(value: object) -> Scalar | None:
    if value is None or isinstance(value, str | int | float | bool):
        return value
    return json.dumps(value, sort_keys=True)


def _unit_rows(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale rows to length 1; rows without a direction (zero, NaN, Inf) become zero."""
    with np.errstate(invalid="ignore", over="ignore"):
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        usable = np.isfinite(lengths) & (lengths > 0)
        units = vectors / np.where(usable, lengths, 1.0)[:, None]
    units[~usable] = 0.0
    result: NDArray[np.float32] = units.astype(np.float32, copy=False)
    return result
