"""A few connections to PostgreSQL, each checked before use and never waited for without a bound.

`psycopg_pool` was tried and not taken: it keeps the reason of a failed connection to itself, waits
for the whole timeout where the server refuses at once, and shares connections with a forked child
(`docs/decisions/0019-connections-of-our-own.md`).
"""

from __future__ import annotations

import math
import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from queue import Empty, LifoQueue
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

_INDEX_BUILD_S = 600.0  # the table may be large already
_SERVER_SHARE = 0.9  # of the timeout: the server gives up first, so the connection stays usable
_LONGEST_REASON = 500
_KEYS = ("host", "port", "user", "password", "dbname", "sslmode")
_PERMANENT = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is: `conninfo` for libpq, with the password; `where` for people, without."""

    conninfo: str = field(repr=False)
    where: str


def address_of(config: Mapping[str, Any], timeout_s: float) -> Address:
    """Read the address out of Mem0's own settings for pgvector.

    Parameters
    ----------
    config
        `connection_string`, or host, port, user, password, dbname; sslmode; and `libpq`, other
        settings of PostgreSQL's library by name.
    timeout_s
        Longest time to connect, and to wait for a silent peer. libpq waits at least 2 s.

    Raises
    ------
    BackendError
        The connection string can not be read. It may hold a password, so it is not shown.
    """
    given = {key: config[key] for key in _KEYS if config.get(key) is not None}
    if config.get("connection_string"):
        try:
            parts = conninfo_to_dict(str(config["connection_string"]))
        except psycopg.Error:
            raise BackendError(
                'The "connection_string" of the vector store "pgvector" can not be read. It must '
                'be "postgresql://user:password@host:port/database", with %-escapes for signs such '
                'as @ and / in the password, or "host=... dbname=... user=...".'
            ) from None
        given = dict(parts) | {key: given[key] for key in ("sslmode",) if key in given}
    given |= config.get("libpq") or {}
    options: dict[str, Any] = {
        "application_name": "freqtrade_mem0",
        "client_encoding": "utf8",
        "connect_timeout": max(2, math.ceil(timeout_s)),
        "tcp_user_timeout": math.ceil(1_000 * timeout_s),
    }
    host = given.get("host") or given.get("hostaddr") or os.environ.get("PGHOST") or "this machine"
    port = given.get("port") or os.environ.get("PGPORT") or 5432
    name = given.get("dbname") or os.environ.get("PGDATABASE") or given.get("user") or "the default"
    return Address(
        conninfo=make_conninfo("", **(options | given)),
        where=f"{host}, port {port}, database {name}",
    )


class _Connection(psycopg.Connection[tuple[Any, ...]]):
    """A connection that waits at most `limit_s` for an answer."""

    limit_s: float = _INDEX_BUILD_S

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        return super().wait(self._limited(gen), *args, **kwargs)

    def _limited(self, gen: Any) -> Generator[Any, Any, Any]:
        # psycopg resumes the generator every tenth of a second.
        deadline_s = time.monotonic() + self.limit_s
        ready = None
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as done:
                return done.value
            if time.monotonic() > deadline_s:
                self.pgconn.finish()  # a late answer would be taken for the next one
                raise psycopg.OperationalError(f"no answer within {self.limit_s:g} s")
            ready = yield wanted


class Link:
    """A few connections to one database; safe to share between threads, not between processes.

    Parameters
    ----------
    address
        Where the database is.
    timeout_s
        Longest wait for one answer, and for a free connection. Seconds, > 0.
    n_most
        Most connections at once, >= 1.
    """

    def __init__(self, address: Address, *, timeout_s: float, n_most: int) -> None:
        if n_most < 1:
            raise BackendError(
                f'"maxconn" of the vector store "pgvector" is {n_most}; it must be at least 1.'
            )
        self.where = address.where
        self._address = address
        self._timeout_s = timeout_s
        self._n_most = n_most
        # One place for each connection that may be open; None where none is open yet.
        self._places: LifoQueue[_Connection | None] = LifoQueue()
        for _ in range(n_most):
            self._places.put(None)
        self._is_closed = False

    @contextmanager
    def transaction(self, *, is_long: bool = False) -> Iterator[psycopg.Connection[Any]]:
        """Give a connection in a transaction; commit at the end, roll back on an error.

        Parameters
        ----------
        is_long
            Whether a statement may take minutes.

        Raises
        ------
        BackendError
            Whatever PostgreSQL says, with host and database. `permanent` where the data itself is
            refused.
        """
        with self._errors_named(), self._connected() as connection:
            if is_long:
                connection.limit_s = _INDEX_BUILD_S
            with connection.transaction():
                # For this transaction only: a pooler may give the connection to others after it.
                limit_ms = 0 if is_long else math.ceil(1_000 * _SERVER_SHARE * self._timeout_s)
                connection.execute(
                    "SELECT set_config('statement_timeout', %s, true)", (str(limit_ms),)
                )
                yield connection
            connection.limit_s = self._timeout_s

    def close(self) -> None:
        """Close all connections; those in use are closed when they are given back."""
        self._is_closed = True
        with suppress(Empty):
            while True:
                connection = self._places.get_nowait()
                if connection is not None:
                    connection.close()

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            reason = " ".join(str(error).split())[:_LONGEST_REASON] or "no reason given"
            raise BackendError(
                f"PostgreSQL at {self.where} failed: {type(error).__name__}: {reason}",
                permanent=isinstance(error, _PERMANENT),
            ) from error

    @contextmanager
    def _connected(self) -> Iterator[_Connection]:
        self._refuse_if_closed()
        try:
            connection = self._places.get(timeout=self._timeout_s)
        except Empty:
            self._refuse_if_closed()
            raise BackendError(
                f"All {self._n_most} connections to PostgreSQL at {self.where} were in use for "
                f'{self._timeout_s:g} s. Raise "maxconn" of the vector store.'
            ) from None
        try:
            if connection is not None and not self._answers(connection):
                connection = None
            if connection is None:
                connection = self._connect()
            yield connection
        finally:
            self._give_back(connection)

    def _answers(self, connection: _Connection) -> bool:
        started_s = time.monotonic()
        try:
            connection.execute("")
        except psycopg.Error:
            connection.close()
            if time.monotonic() - started_s > self._timeout_s:
                raise  # the server is there and silent: a new connection would wait as long again
            return False
        return True

    def _connect(self) -> _Connection:
        connection = _Connection.connect(
            self._address.conninfo, autocommit=True, prepare_threshold=None
        )
        connection.limit_s = self._timeout_s
        return connection

    def _give_back(self, connection: _Connection | None) -> None:
        idle = psycopg.pq.TransactionStatus.IDLE
        if connection is not None and connection.info.transaction_status is not idle:
            with suppress(psycopg.Error):
                connection.close()
            connection = None
        self._places.put(connection)
        if self._is_closed:
            self.close()

    def _refuse_if_closed(self) -> None:
        if self._is_closed:
            raise BackendError(f"The memories at {self.where} are closed; open them anew.")
