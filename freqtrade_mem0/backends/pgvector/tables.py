"""Mem0's table for a collection, made as Mem0 makes it, and the indexes that we add to it.

Whoever comes first makes what is missing, under a lock that the others wait at: several bots may be
started at once on an empty database. Plain Mem0 reads and writes the same table; the indexes beside
its own change nothing that it sees.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from freqtrade_mem0.backends.pgvector.filters import PLAIN_TIME
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from freqtrade_mem0.backends.pgvector.link import Link

logger = logging.getLogger(__name__)

_LOCK = 0x6D656D30  # "mem0"; advisory locks of others have other numbers
_ATTEMPTS = 3  # plain Mem0 makes the table without our lock
_STORED = "payload->>'updated_at'"
_INDEXES = {
    # Mem0's own, for words.
    "text_lemmatized_idx": "USING gin (to_tsvector('simple', payload->>'text_lemmatized'))",
    # For one bot or run of many. (An index over all of the payload would take a third of the room
    # and of the time to write, mostly for numbers that nobody asks for.)
    "run_id_idx": "((payload->>'run_id') COLLATE \"C\")",
    # For what was stored since a time: those in plain form, and the few that are not.
    "stored_idx": f'(({_STORED}) COLLATE "C")',
    "oddly_stored_idx": f"(({_STORED})) WHERE {_STORED} !~ '{PLAIN_TIME}'",
}
_HNSW = {"hnsw_idx": "USING hnsw (vector vector_cosine_ops)"}


@dataclass(frozen=True, slots=True)
class Table:
    """A collection's table, and which indexes it shall have."""

    name: str
    dimensions: int
    has_hnsw: bool = False

    @property
    def indexes(self) -> dict[str, str]:
        """Return the indexes by name."""
        wanted = _INDEXES | (_HNSW if self.has_hnsw else {})
        return {f"{self.name}_{suffix}": definition for suffix, definition in wanted.items()}


def ensure(link: Link, table: Table) -> None:
    """Make the table and its indexes where they are missing.

    Raises
    ------
    BackendError
        The database does not allow it, or the table holds vectors of another length.
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
                if not _is_there(link, table):
                    raise
                logger.warning("Reads of what is new in %s may be slow: %s", table.name, error)
                return
            raced = (psycopg.errors.UniqueViolation, psycopg.errors.DuplicateTable)
            if not isinstance(error.__cause__, raced) or attempt == _ATTEMPTS:
                raise


def _is_there(link: Link, table: Table) -> bool:
    with link.transaction() as connection:
        return _dimensions(connection, table) is not None


def _missing(connection: psycopg.Connection[Any], table: Table) -> list[sql.Composed]:
    """Return the statements that make what is missing; none where all is there."""
    name = sql.Identifier(table.name)
    statements = []
    if not connection.execute("SELECT FROM pg_extension WHERE extname = 'vector'").fetchone():
        statements.append(sql.Composed([sql.SQL("CREATE EXTENSION IF NOT EXISTS vector")]))
    dimensions = _dimensions(connection, table)
    if dimensions is None:
        statements.append(
            sql.SQL(
                "CREATE TABLE IF NOT EXISTS {} (id UUID PRIMARY KEY, vector vector({}),"
                " payload JSONB)"
            ).format(name, sql.Literal(table.dimensions))
        )
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
