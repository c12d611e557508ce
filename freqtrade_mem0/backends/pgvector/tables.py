"""Creates the table for a collection with the columns of Mem0's, and the indexes that we add to it.

The first process to come creates what is missing, under a lock: several bots may start at once on
an empty database. Plain Mem0 uses the same table; our indexes and partitions change nothing that it
sees. A table that is there stays as it is, also without partitions.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from freqtrade_mem0.backends.pgvector.filters import odd_time
from freqtrade_mem0.backends.pgvector.months import PARTITIONED, partition_of_others
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from freqtrade_mem0.backends.pgvector.link import Link

logger = logging.getLogger(__name__)

_LOCK = 0x6D656D30  # "mem0"; advisory locks of others have other numbers
_ATTEMPTS = 3  # plain Mem0 makes the table without our lock
_STORED = "(payload->>'updated_at')"
_INDEXES = {
    # Mem0's own, for words.
    "text_lemmatized_idx": "USING gin (to_tsvector('simple', payload->>'text_lemmatized'))",
    # For one bot or run. (An index over all of the payload would take a third of the space and of
    # the time to write, mostly for numbers that nobody searches.)
    "run_id_idx": "((payload->>'run_id') COLLATE \"C\")",
    # For what was stored since a time: times in plain form, and the few others.
    "stored_idx": f'({_STORED} COLLATE "C")',
    "odd_times_idx": f"({_STORED}) WHERE {odd_time(_STORED)}",
}
_HNSW = {"hnsw_idx": "USING hnsw (vector vector_cosine_ops)"}


@dataclass(frozen=True, slots=True)
class Table:
    """A collection's table and its indexes."""

    name: str
    dimensions: int
    has_hnsw: bool = False

    @property
    def indexes(self) -> dict[str, str]:
        """Return the definitions of the indexes by name."""
        wanted = _INDEXES | (_HNSW if self.has_hnsw else {})
        return {f"{self.name}_{suffix}": definition for suffix, definition in wanted.items()}


def ensure(link: Link, table: Table) -> None:
    """Create the table and its indexes where they are missing.

    Raises `BackendError` where the database does not allow it, or the table holds vectors of
    another length.
    """
    with link.transaction() as connection:
        missing = _missing(connection, table)
    for attempt in range(1, _ATTEMPTS + 1):
        if not missing:
            return
        try:
            with link.transaction(is_long=True) as connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                for statement in _missing(connection, table):
                    connection.execute(statement)
            return  # noqa: TRY300 - the statements are what is tried
        except BackendError as error:
            if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                with link.transaction() as connection:
                    is_there = _dimensions(connection, table) is not None
                if not is_there:
                    raise
                logger.warning("Reading news from %s may be slow: %s", table.name, error)
                return
            raced = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable)
            if not isinstance(error.__cause__, raced) or attempt == _ATTEMPTS:
                raise


def _missing(connection: psycopg.Connection[Any], table: Table) -> list[sql.Composed]:
    """Return the statements that create what is missing."""
    name = sql.Identifier(table.name)
    statements = []
    if not connection.execute("SELECT FROM pg_extension WHERE extname = 'vector'").fetchone():
        statements.append(sql.Composed([sql.SQL("CREATE EXTENSION IF NOT EXISTS vector")]))
    dimensions = _dimensions(connection, table)
    if dimensions is None:
        statements.append(
            sql.SQL(
                "CREATE TABLE {} (id UUID NOT NULL, vector vector({}), payload JSONB) {}"
            ).format(name, sql.Literal(table.dimensions), PARTITIONED)
        )
        main = sql.SQL("ALTER TABLE {} ALTER COLUMN vector SET STORAGE MAIN")
        statements += [main.format(name), partition_of_others(table.name)]
    elif dimensions not in (table.dimensions, -1):
        raise BackendError(
            f"The collection {table.name!r} holds vectors of {dimensions} numbers, the embedder "
            f"gives {table.dimensions}: it was changed. Configure the old embedder, or another "
            '"collection_name" and deliver again from the journal.'
        )
    found = connection.execute(
        "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid"
        " WHERE indrelid = to_regclass(quote_ident(%s))",
        (table.name,),
    ).fetchall()
    there = {index for (index,) in found}
    statements += [
        sql.SQL("CREATE INDEX IF NOT EXISTS {} ON {} {}").format(
            sql.Identifier(index), name, sql.SQL(definition)
        )
        for index, definition in table.indexes.items()
        if index not in there
    ]
    return statements


def _dimensions(connection: psycopg.Connection[Any], table: Table) -> int | None:
    """Return the length of the table's vectors (-1: any), None where there is no table."""
    found = connection.execute(
        "SELECT atttypmod FROM pg_attribute WHERE attname = 'vector'"
        " AND attrelid = to_regclass(quote_ident(%s))",
        (table.name,),
    ).fetchone()
    return None if found is None else int(found[0])
