"""Gives the space of deleted memories back: empty months are dropped, others written anew.

PostgreSQL's own VACUUM only marks that space as free, with the deleted texts in it. Writing a table
anew locks it: 50 ms for 10,000 memories. Nobody is kept waiting for longer than `_LOCK_MS` by our
waiting for that lock; a table that is in use is left to the next time.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
from psycopg import sql

from freqtrade_mem0.backends.pgvector.months import month_of
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.backends.pgvector.link import Link

_LOCK_MS = 1_000
_PER_ROW = 36  # header, line pointer, id
_SLACK, _SPARE = 1.5, 128_000
"""A table is written anew where it takes this multiple of its rows, and this many bytes more."""

NOT_OWNER = (
    "The space of deleted memories in PostgreSQL stays where it is: only the owner of the table "
    "{table} may write it anew. Run 'freqtrade-mem0 maintain' once as that user."
)
BUSY = (
    "Some of the table {table} was in use, and keeps the space of deleted memories: run "
    "'freqtrade-mem0 maintain' again."
)


class _Leaf(NamedTuple):
    """A table that holds rows: a partition, or a collection without partitions."""

    name: str
    schema: str
    key: str | None
    n_bytes: int

    @property
    def quoted(self) -> sql.Identifier:
        return sql.Identifier(self.schema, self.name)


def sizes(connection: psycopg.Connection[Any], table: sql.Composable) -> Mapping[str, int]:
    """Return the bytes of each row by id, without indexes."""
    query = sql.SQL(
        "SELECT id::text, coalesce(pg_column_size(vector), 0)"
        " + coalesce(pg_column_size(payload), 0) + {} FROM {}"
    )
    return dict(connection.execute(query.format(_PER_ROW, table)).fetchall())


def shrink(
    link: Link, table: str, pause: Callable[[float], None], *, alone: bool
) -> tuple[int, list[str]]:
    """Give space back; return how many bytes, and why some could not be.

    `alone` writes every table anew, so that no deleted text is left in one.
    """
    before = _leaves(link, table)
    notes = []
    for leaf in before:
        began_s = time.monotonic()
        try:
            _shrink_one(link, table, leaf, alone=alone)
        except BackendError as error:
            if isinstance(error.__cause__, psycopg.errors.InsufficientPrivilege):
                return 0, [NOT_OWNER.format(table=table)]
            if not isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise
            notes = [BUSY.format(table=table)]
        pause(time.monotonic() - began_s)
    left = sum(leaf.n_bytes for leaf in _leaves(link, table))
    return max(sum(leaf.n_bytes for leaf in before) - left, 0), notes


def _shrink_one(link: Link, table: str, leaf: _Leaf, *, alone: bool) -> None:
    with link.transaction(is_long=True) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, true)", (str(_LOCK_MS),))
        month = month_of(table, leaf.name)
        if month and month < f"{datetime.now(UTC):%Y-%m}" and _is_empty(connection, leaf):
            parent = sql.Identifier(leaf.schema, table)
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(parent))
            if _is_empty(connection, leaf):  # nobody wrote before we had the lock
                connection.execute(sql.SQL("DROP TABLE {}").format(leaf.quoted))
            return
        if leaf.key and (alone or _is_wasteful(connection, leaf)):
            connection.execute(
                sql.SQL("CLUSTER {} USING {}").format(leaf.quoted, sql.Identifier(leaf.key))
            )


def _is_empty(connection: psycopg.Connection[Any], leaf: _Leaf) -> bool:
    query = sql.SQL("SELECT FROM {} LIMIT 1").format(leaf.quoted)
    return connection.execute(query).fetchone() is None


def _is_wasteful(connection: psycopg.Connection[Any], leaf: _Leaf) -> bool:
    query = sql.SQL(
        "SELECT pg_table_size(to_regclass({})), coalesce(sum({} + coalesce(pg_column_size(vector),"
        " 0) + coalesce(pg_column_size(payload), 0)), 0) FROM {}"
    ).format(sql.Literal(leaf.quoted.as_string(connection)), _PER_ROW, leaf.quoted)
    found = connection.execute(query).fetchone()
    assert found is not None  # noqa: S101 - an aggregate gives one row
    taken, needed = map(int, found)
    return taken > _SLACK * needed + _SPARE


def _leaves(link: Link, table: str) -> list[_Leaf]:
    with link.transaction() as connection:
        found = connection.execute(
            "WITH RECURSIVE parts AS (SELECT to_regclass(quote_ident(%s))::oid AS oid UNION ALL"
            " SELECT inhrelid FROM pg_inherits JOIN parts ON inhparent = parts.oid)"
            " SELECT c.relname, nspname, key.relname,"
            " pg_total_relation_size(c.oid) FROM parts JOIN pg_class AS c USING (oid)"
            " JOIN pg_namespace AS n ON n.oid = c.relnamespace"
            " LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary"
            " LEFT JOIN pg_class AS key ON key.oid = i.indexrelid"
            " WHERE c.relkind = 'r' ORDER BY c.relname",
            (table,),
        ).fetchall()
    return [_Leaf(*row) for row in found]
