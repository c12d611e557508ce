"""A vector store for Mem0 on PostgreSQL with pgvector, for a fleet of bots that share one memory.

It uses Mem0's own table, so that plain Mem0 reads and writes the same memories. It replaces Mem0's
class for provider "pgvector" in our own `mem0.Memory` only. It promises:

* each `insert` is one transaction; of ids that are there only changed rows are replaced;
* filters mean what `filters` says, in `search`, `list` and `count`;
* similarity is exact: an approximate index is applied before the filter, and gives too few;
* a database that is away is an error within the timeout, with its name and without its password;
* several threads and processes may use one table, and may create it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.pgvector import rows as pgvector_rows
from freqtrade_mem0.backends.pgvector import shrinking
from freqtrade_mem0.backends.pgvector import tables as pgvector_tables
from freqtrade_mem0.backends.pgvector.months import ensure_months, months_of
from freqtrade_mem0.backends.pgvector.reader import PgvectorReader
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freqtrade_mem0.backends.exact_store import Names


_GIVEN = (
    "(SELECT id::uuid, vector::vector, payload::jsonb"
    " FROM unnest(%b::text[], %b::text[], %b::text[]) AS texts (id, vector, payload)) AS new"
)
_ADD = f"""INSERT INTO {{table}} (id, vector, payload)
 SELECT id, vector, payload FROM {_GIVEN} ON CONFLICT DO NOTHING"""  # noqa: S608 - ours
_CHANGE = f"""UPDATE {{table}} AS old SET vector = new.vector, payload = new.payload FROM {_GIVEN}
 WHERE old.id = new.id AND (old.vector IS DISTINCT FROM new.vector
 OR old.payload - 'updated_at' IS DISTINCT FROM new.payload - 'updated_at')"""  # noqa: S608 - ours


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
        with self._transaction():
            pass  # the table is there
        if missing := months_of(payloads) - self._months:
            ensure_months(self._link, self.collection_name, missing)
            self._months |= missing
        with self._transaction() as connection:
            n_done = 0
            while n_done < len(columns.ids):
                # The rows are locked in the order of ids, so that two writers never block each
                # other. No unique index spans all partitions, for which ON CONFLICT would ask.
                there = connection.execute(
                    self._sql(
                        "SELECT id::text FROM {table} WHERE id = ANY(%s::uuid[])"
                        " ORDER BY id FOR UPDATE"
                    ),
                    (columns.ids,),
                ).fetchall()
                known = {each for (each,) in there}
                if known:
                    connection.execute(self._sql(_CHANGE), columns.only(known))
                n_done = len(known)
                if new := [each for each in columns.ids if each not in known]:
                    # Rows that another writer stored meanwhile are not counted, and then changed.
                    n_done += connection.execute(self._sql(_ADD), columns.only(new)).rowcount

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

    def sizes(self) -> Mapping[str, int]:
        """Return the bytes of each memory, by id."""
        with self._transaction() as connection:
            return shrinking.sizes(connection, self._sql("{table}"))

    def shrink(self, pause: Callable[[float], None], *, alone: bool = False) -> int:
        """Drop empty months, and write anew what has much free space; see `shrinking`."""
        with self._transaction():
            pass  # the table is there
        n_bytes, notes = shrinking.shrink(self._link, self.collection_name, pause, alone=alone)
        self.upkeep_limits = notes
        self._months = set()  # some may have been dropped
        return n_bytes

    def list_cols(self) -> Names:
        """Return the names of all collections in the schema that is written to."""
        with self._link.transaction() as connection:
            found = connection.execute(
                "SELECT table_name FROM information_schema.columns JOIN pg_class ON oid ="
                " to_regclass(quote_ident(table_name)) WHERE table_schema = current_schema()"
                " AND column_name = 'vector' AND udt_name = 'vector' AND NOT relispartition"
            )
            return [name for (name,) in found]

    def delete_col(self) -> None:
        """Delete the collection with all its memories."""
        with self._link.transaction() as connection:
            connection.execute(self._sql("DROP TABLE IF EXISTS {table}"))
        self._is_ready = False
        self._months = set()

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
