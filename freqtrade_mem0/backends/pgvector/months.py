"""Partitions of a collection's table: one for each month, and one for all other rows.

The month is that of `created_at` in the payload, so that plain Mem0, which knows no partitions,
writes into them as well. Memories of one month age together: `shrinking` drops or rewrites what
they leave behind. Each partition has a primary key of its own, as a key of the whole table would
have to contain the month.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg import sql

from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freqtrade_mem0.backends.pgvector.link import Link

PARTITIONED = sql.SQL("""PARTITION BY RANGE ((payload->>'created_at') COLLATE "C")""")
"""In collation C, '2026-01-05T...' is between '2026-01' and '2026-02'."""

_LOCK = 0x6D656D31
_PLAIN_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])-")
_FIRST_YEAR = 2009  # Bitcoin's first; older times are mistakes and need no partitions
_REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.CheckViolation,  # rows of that month are in the partition of all others
    psycopg.errors.DuplicateTable,  # another collection has this name
)
# A vector of our embedder is mostly zeros: compressed in its row, it takes 120 bytes, not 1,032.
_LEAF = sql.SQL(
    "CREATE TABLE {} PARTITION OF {} (PRIMARY KEY (id)) {} WITH (toast_tuple_target=256)"
)


def months_of(payloads: Iterable[Mapping[str, Any]]) -> set[str]:
    """Return the months, such as "2026-01", of memories that a partition of a month can hold."""
    found = set()
    last_year = datetime.now(UTC).year + 1
    for payload in payloads:
        is_plain = _PLAIN_MONTH.match(str(payload.get("created_at")))
        if is_plain and _FIRST_YEAR <= int(is_plain[1]) <= last_year:
            found.add(is_plain[0][:-1])
    return found


def partition_of_others(table: str) -> sql.Composed:
    """Return the statement that creates the partition for rows of no known month."""
    name = sql.Identifier(f"{table}_other")
    return _LEAF.format(name, sql.Identifier(table), sql.SQL("DEFAULT"))


def ensure_months(link: Link, table: str, months: Iterable[str]) -> None:
    """Create partitions for months, where the table has partitions and we may create them.

    Rows of months that have none go into the partition of all others.
    """
    with link.transaction() as connection:
        is_partitioned, there = _partitions(connection, table)
    for month in sorted(months):
        if not is_partitioned or _name(table, month) in there:
            continue
        try:
            with link.transaction() as connection:
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                if _name(table, month) not in _partitions(connection, table)[1]:
                    connection.execute(_partition(table, month))
        except BackendError as error:
            if not isinstance(error.__cause__, _REFUSED):
                raise


def month_of(table: str, partition: str) -> str:
    """Return the month in the name of a partition; "" where it has none."""
    found = re.fullmatch(re.escape(table) + r"_(\d{4})_(\d\d)", partition)
    return f"{found[1]}-{found[2]}" if found else ""


def _name(table: str, month: str) -> str:
    return f"{table}_{month.replace('-', '_')}"


def _partition(table: str, month: str) -> sql.Composed:
    year, number = map(int, month.split("-"))
    following = f"{year + number // 12:04d}-{number % 12 + 1:02d}"
    bounds = sql.SQL("FOR VALUES FROM ({}) TO ({})").format(
        sql.Literal(month), sql.Literal(following)
    )
    return _LEAF.format(sql.Identifier(_name(table, month)), sql.Identifier(table), bounds)


def _partitions(connection: psycopg.Connection[Any], table: str) -> tuple[bool, set[str]]:
    """Return whether a table has partitions, and their names."""
    found = connection.execute(
        "SELECT parent.relkind = 'p', child.relname FROM pg_class AS parent"
        " LEFT JOIN pg_inherits ON inhparent = parent.oid"
        " LEFT JOIN pg_class AS child ON child.oid = inhrelid"
        " WHERE parent.oid = to_regclass(quote_ident(%s))",
        (table,),
    ).fetchall()
    return any(is_one for is_one, _ in found), {name for _, name in found}
