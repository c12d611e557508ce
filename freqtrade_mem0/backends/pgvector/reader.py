"""The reading half of the store on PostgreSQL: rows by id, by similarity and by filter."""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from freqtrade_mem0.backends.exact_store import ExactStore, Names, Rows
from freqtrade_mem0.backends.filters import matches
from freqtrade_mem0.backends.pgvector import rows as pgvector_rows
from freqtrade_mem0.backends.pgvector import tables as pgvector_tables
from freqtrade_mem0.backends.pgvector.filters import select
from freqtrade_mem0.backends.pgvector.link import Link, address_of
from freqtrade_mem0.backends.vector_rows import (
    Row,
    decode_payload,
    payload_for_mem0,
    wrong_length,
)
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from freqtrade_mem0.backends.pgvector.filters import Selection, Sql
    from freqtrade_mem0.backends.port import GroupKey

_ROWS_PER_FETCH = 2_000
_GROWTH = 8
# A partition of some hundred rows would be read as a whole: PostgreSQL does not count the unpacking
# of payloads. Where no index serves, it is read as a whole all the same.
_BY_INDEX = "SELECT set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)"
_DEFAULT_DIMENSIONS = 1_536  # Mem0's


class PgvectorReader(ExactStore):
    """Reads one table, created at the first call where it is missing; see `PgvectorStore`."""

    def __init__(
        self,
        collection_name: str = "mem0",
        embedding_model_dims: int | None = None,
        *,
        hnsw: bool = False,
        maxconn: int = 5,
        timeout_s: float = 10.0,
        **address: Any,
    ) -> None:
        self.collection_name = collection_name
        self.embedding_model_dims = embedding_model_dims or _DEFAULT_DIMENSIONS
        self._table = pgvector_tables.Table(collection_name, self.embedding_model_dims, hnsw)
        self._link = Link(address_of(address, timeout_s), timeout_s=timeout_s, n_most=maxconn)
        self._is_ready = False
        self._months: set[str] = set()
        """Months that have a partition, or can have none."""

    def get_many(self, ids: Sequence[str]) -> Rows:
        """Return those of the memories that are there, in the order of `ids`."""
        with self._transaction() as connection:
            found = connection.execute(
                self._sql("SELECT id::text, payload::text FROM {table} WHERE id = ANY(%s::uuid[])"),
                (list(filter(pgvector_rows.is_id, ids)),),
            ).fetchall()
        by_id = {each: Row(each, None, payload_for_mem0(text)) for each, text in found}
        return [by_id[each] for each in ids if each in by_id]

    def search(
        self,
        query: str,  # noqa: ARG002 - Mem0 hands the text to every store, with its vector
        vectors: Sequence[float],
        top_k: int | None = 5,
        filters: Mapping[str, Any] | None = None,
    ) -> Rows:
        """Return the `top_k` memories (None: all) most similar to the vector `vectors`."""
        self._check_length(vectors)
        # Adding 0 keeps PostgreSQL from using an approximate index that others may have made.
        return self._best(
            "1 - (vector <=> %s::text::vector)",
            "(vector <=> %s::text::vector) + 0",
            (str(list(map(float, vectors))),),
            selection=select(filters),
            top_k=top_k,
        )

    def keyword_search(
        self, query: str, top_k: int | None = 5, filters: Mapping[str, Any] | None = None
    ) -> Rows:
        """Return the `top_k` memories that hold all words of `query`, ranked as Mem0 ranks them."""
        words = "to_tsvector('simple', payload->>'text_lemmatized')"
        asked = "plainto_tsquery('simple', %s::text)"
        text = query.replace("\0", " ").encode("utf-8", "replace").decode()
        return self._best(
            f"ts_rank_cd({words}, {asked})",
            f"-ts_rank_cd({words}, {asked})",
            (text,),
            selection=select(filters),
            top_k=top_k,
            condition=f"{words} @@ {asked}",
        )

    def list_ids(self, filters: Mapping[str, Any] | None = None) -> Names:
        """Return the ids of all memories that pass, by `(created_at, id)`.

        A server-side cursor gives them, so that about 150 bytes per memory are held here.
        """
        found = [
            (pgvector_rows.instant(created_at), each)
            for each, created_at in self._passing(select(filters), "(payload->'created_at')::text")
        ]
        return [each for _, each in sorted(found)]

    def count(
        self, filters: Mapping[str, Any] | None = None, by: Sequence[str] = ()
    ) -> dict[GroupKey, int]:
        """Count memories that pass, in groups by the keys `by`; see `MemoryBackend.count`."""
        selection = select(filters)
        keys = ["(payload->%s::text)::text"] * len(by)
        groups: Counter[GroupKey] = Counter() if by else Counter({(): 0})
        if not selection.clause.is_exact:
            values = f"ARRAY[{', '.join(keys)}]::text[]"
            for _, found in self._passing(selection, values, tuple(by)):
                groups[tuple(map(pgvector_rows.scalar, found))] += 1
            return dict(groups)
        rows_asked, params = _rows_that_pass(selection)
        with self._transaction() as connection:
            places = [str(n + 1) for n in range(len(by))]
            grouped = f" GROUP BY {', '.join(places)}" if by else ""
            rows = connection.execute(
                self._sql(
                    f"SELECT {', '.join([*keys, 'count(*)'])} FROM {rows_asked}{grouped}"  # noqa: S608
                ),
                (*by, *params),
            )
            for *values_of_group, n_rows in rows:
                groups[tuple(map(pgvector_rows.scalar, values_of_group))] += n_rows
        return dict(groups)

    def close(self) -> None:
        """Close all connections; closing again does nothing."""
        self._link.close()

    @contextmanager
    def _transaction(self) -> Iterator[psycopg.Connection[Any]]:
        """Give a connection in a transaction; create the table where it is missing."""
        if not self._is_ready:
            pgvector_tables.ensure(self._link, self._table)
            self._is_ready = True
        try:
            with self._link.transaction() as connection:
                yield connection
        except BackendError as error:
            if isinstance(error.__cause__, psycopg.errors.UndefinedTable):
                self._is_ready = False  # somebody dropped it; the next call creates it again
                self._months = set()
            raise

    def _passing(
        self, selection: Selection, value: str, params: tuple[object, ...] = ()
    ) -> Iterator[tuple[str, Any]]:
        """Yield id and one value of every row that passes, while a transaction is open."""
        rows_asked, asked = _rows_that_pass(selection)
        is_exact = selection.clause.is_exact
        more = "" if is_exact else ", payload::text"
        with self._transaction() as connection, connection.cursor(name="passing") as cursor:
            cursor.itersize = _ROWS_PER_FETCH
            if selection.near.params:
                connection.execute(_BY_INDEX)
            cursor.execute(
                self._sql(f"SELECT id::text, {value}{more} FROM {rows_asked}"),  # noqa: S608
                (*params, *asked),
            )
            for each, found, *payload in cursor:
                if is_exact or matches(selection.node, decode_payload(payload[0])):
                    yield each, found

    def _best(
        self,
        score: str,
        order: str,
        params: tuple[object, ...],
        *,
        selection: Selection,
        top_k: int | None,
        condition: str = "",
    ) -> Rows:
        """Return the best rows that pass; ask for more while Python's filter leaves too few."""
        near = (condition, params) if condition else None
        rows_asked, asked = _rows_that_pass(selection, near)
        n_wanted = None if top_k is None else max(0, top_k)
        n_asked = n_wanted
        statement = self._sql(
            f"WITH best AS MATERIALIZED (SELECT id, {score} AS score FROM {rows_asked}"  # noqa: S608
            f" ORDER BY {order}, id LIMIT %s)"
            " SELECT id::text, score, payload::text FROM best JOIN {table} USING (id)"
            " ORDER BY nullif(score, 'NaN') DESC NULLS LAST, id"
        )
        while True:
            given = (*params, *asked, *params, n_asked)
            with self._transaction() as connection:
                found = connection.execute(statement, given).fetchall()
            rows = [
                Row(each, pgvector_rows.score(scored), payload_for_mem0(text))
                for each, scored, text in found
                if selection.clause.is_exact or matches(selection.node, decode_payload(text))
            ]
            if n_asked is None or n_wanted is None:
                return rows
            if len(rows) >= n_wanted or len(found) < n_asked:
                return rows[:n_wanted]
            n_asked = _GROWTH * n_asked

    def _sql(self, statement: str) -> sql.Composed:
        """Put the table's name into a statement that holds nothing of a user but `%s`."""
        name = sql.Identifier(self.collection_name)
        first, *rest = (sql.SQL(part) for part in statement.split("{table}"))
        return sql.Composed([first, *(each for part in rest for each in (name, part))])

    def _check_length(self, vector: Sequence[float]) -> None:
        if len(vector) != self.embedding_model_dims:
            raise wrong_length(self.collection_name, self.embedding_model_dims, len(vector))


def _rows_that_pass(selection: Selection, near: Sql | None = None) -> Sql:
    """Return the FROM part of a query: rows that pass what SQL can express of a filter.

    A payload is compressed, and each condition would unpack it again. Adding an empty object
    unpacks it once; OFFSET 0 keeps PostgreSQL from moving the conditions below that.
    """
    first, params = selection.near.sql, selection.near.params
    if near is not None:
        first, params = f"{first} AND {near[0]}", (*params, *near[1])
    sql_text = (
        "(SELECT id, vector, payload || '{}'::jsonb AS payload FROM {table}"  # noqa: S608
        f" WHERE {first} OFFSET 0) AS unpacked WHERE {selection.clause.sql}"
    )
    return sql_text, (*params, *selection.clause.params)
