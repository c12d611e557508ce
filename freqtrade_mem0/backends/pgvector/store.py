"""A vector store for Mem0 on PostgreSQL with pgvector, for a fleet of bots that share one memory.

It uses Mem0's own table, so that plain Mem0 reads and writes the same memories. It replaces Mem0's
class for provider "pgvector" in our own `mem0.Memory` only. It promises:

* each `insert` is one statement; of ids that are there only changed rows are replaced;
* filters mean what `filters` says, in `search`, `list` and `count`;
* similarity is exact: an approximate index is applied before the filter, and gives too few;
* a database that is away is an error within the timeout, with its name and without its password;
* several threads and processes may use one table, and may create it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.pgvector import rows as pgvector_rows
from freqtrade_mem0.backends.pgvector import tables as pgvector_tables
from freqtrade_mem0.backends.pgvector.reader import PgvectorReader
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.backends.exact_store import Names


class PgvectorStore(PgvectorReader):
    """One collection of memories in a table; safe to share between threads.

    Parameters
    ----------
    collection_name
        The table; Mem0 makes a second one for its entities.
    embedding_model_dims
        Length of the vectors; None for Mem0's default.
    hnsw
        Whether the table gets Mem0's approximate index, for other programs.
    maxconn
        Most connections at once, >= 1.
    timeout_s
        Longest wait for one answer, in seconds.
    address
        `connection_string`, or host, port, user, password, dbname; and sslmode.

    Raises
    ------
    BackendError
        From every method: the database says no or nothing; permanent, where a memory or a filter
        is refused.
    """

    upkeep_limits = (
        (
            "PostgreSQL uses the space of deleted memories again once autovacuum has run; its files"
            " become smaller with VACUUM FULL."
        ),
    )

    def _create(self, name: str, vector_size: int | None) -> None:
        dimensions = vector_size or self.embedding_model_dims
        pgvector_tables.ensure(self._link, pgvector_tables.Table(name, dimensions))

    def _replace(
        self,
        vectors: Sequence[Sequence[float]],
        payloads: Sequence[Mapping[str, Any]],
        ids: Sequence[str],
    ) -> None:
        self._check_length(vectors[0])
        columns = pgvector_rows.encode(vectors, payloads, ids)
        with self._transaction() as connection:
            connection.execute(
                self._sql(
                    "INSERT INTO {table} AS old (id, vector, payload)"
                    " SELECT id::uuid, vector::vector, payload::jsonb"
                    " FROM unnest(%b::text[], %b::text[], %b::text[]) AS new (id, vector, payload)"
                    " ON CONFLICT (id) DO UPDATE"
                    " SET vector = excluded.vector, payload = excluded.payload"
                    " WHERE old.payload - 'updated_at' IS DISTINCT FROM"
                    " excluded.payload - 'updated_at'"
                    " OR old.vector IS DISTINCT FROM excluded.vector"
                ),
                tuple(columns),
            )

    def update(
        self,
        vector_id: str,
        vector: Sequence[float] | None = None,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Replace the vector, the payload or both of one memory that is there."""
        if vector is not None:
            self._check_length(vector)
        given = [
            None if vector is None else str(list(map(float, vector))),
            None if payload is None else pgvector_rows.to_json(dict(payload)),
        ]
        with self._transaction() as connection:
            found = connection.execute(
                self._sql(
                    "UPDATE {table} SET vector = coalesce(%s::text::vector, vector),"
                    " payload = coalesce(%s::jsonb, payload) WHERE id = %s::uuid"
                ),
                (*given, vector_id),
            )
            if found.rowcount == 0:
                raise BackendError(f"There is no memory {vector_id} to update.", permanent=True)

    def delete_many(self, ids: Sequence[str]) -> int:
        """Delete memories in one transaction; return how many were there."""
        with self._transaction() as connection:
            return connection.execute(
                self._sql("DELETE FROM {table} WHERE id = ANY(%s::uuid[])"),
                (sorted(filter(pgvector_rows.is_id, ids)),),
            ).rowcount

    def list_cols(self) -> Names:
        """Return the names of all collections in the schema that is written to."""
        with self._link.transaction() as connection:
            found = connection.execute(
                "SELECT table_name FROM information_schema.columns WHERE table_schema ="
                " current_schema() AND column_name = 'vector' AND udt_name = 'vector'"
            )
            return [name for (name,) in found]

    def delete_col(self) -> None:
        """Delete the collection with all its memories."""
        with self._link.transaction() as connection:
            connection.execute(self._sql("DROP TABLE IF EXISTS {table}"))
        self._is_ready = False

    def col_info(self) -> dict[str, Any]:
        """Return name, number of memories and dimensions of the collection."""
        n_rows = self.count()[()]
        return {
            "name": self.collection_name,
            "count": n_rows,
            "dimensions": self.embedding_model_dims,
        }

    def reset(self) -> None:
        """Delete the memories of this collection and start it anew."""
        self.delete_col()
        with self._transaction():
            pass
