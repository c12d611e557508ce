"""Connections to PostgreSQL: few, checked before use, and never waited for longer than allowed.

A pool with threads of its own would be at odds with a bot that forks, and would hide why a database
does not answer; this one opens a connection when it needs one and says what came back.
"""

from __future__ import annotations

import math
import os
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

_PATIENCE_S = 600.0  # building an index over a table that is already large
_SHARE_OF_SERVER = 0.9  # the server is to give up first, so that the connection stays usable
_KEYS = ("host", "port", "user", "password", "dbname", "sslmode")
_REFUSED_FOR_GOOD = (
    psycopg.DataError,
    psycopg.IntegrityError,
    psycopg.errors.ProgramLimitExceeded,
)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a database is.

    Attributes
    ----------
    conninfo
        What libpq needs, with the password.
    where
        The same for people, without.
    """

    conninfo: str = field(repr=False)
    where: str


def address_of(config: Mapping[str, Any], timeout_s: float) -> Address:
    """Read the address out of Mem0's own settings for pgvector.

    Parameters
    ----------
    config
        `connection_string`, or host, port, user, password, dbname; and sslmode.
    timeout_s
        Longest time to connect, and to wait for a peer that went silent. libpq waits at least 2 s.

    Raises
    ------
    BackendError
        The connection string can not be read; it is not shown, as it may hold a password.
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
    """A connection on which no answer is waited for longer than `limit_s`."""

    limit_s: float = _PATIENCE_S

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        return super().wait(self._limited(gen), *args, **kwargs)

    def _limited(self, gen: Any) -> Generator[Any, Any, Any]:
        # psycopg asks every tenth of a second whether there is something to do.
        deadline_s = time.monotonic() + self.limit_s
        ready = None
        while True:
            try:
                wanted = gen.send(ready)
            except StopIteration as done:
                return done.value
            if time.monotonic() > deadline_s:
                self.pgconn.finish()  # what comes later would be taken for the next answer
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
        self.where = address.where
        self._address = address
        self._timeout_s = timeout_s
        self._n_most = n_most
        self._free_places = threading.BoundedSemaphore(n_most)
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []
        self._is_closed = False

    @contextmanager
    def transaction(self, *, is_long: bool = False) -> Iterator[psycopg.Connection[Any]]:
        """Give a connection in a transaction, committed at the end, rolled back by an error.

        Parameters
        ----------
        is_long
            Whether a statement may take minutes.

        Raises
        ------
        BackendError
            Whatever PostgreSQL says, with host and database. It is permanent where what was sent
            is refused for what it says.
        """
        with self._errors_named(), self._connected() as connection:
            if is_long:
                connection.limit_s = _PATIENCE_S
            with connection.transaction():
                if is_long:
                    connection.execute("SET LOCAL statement_timeout = 0")
                yield connection
            connection.limit_s = self._timeout_s

    def close(self) -> None:
        """Close all connections; those in use are closed when they come back."""
        with self._lock:
            self._is_closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    @contextmanager
    def _errors_named(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = " ".join(str(error).split()) or "no reason given"
            kind = type(error).__name__
            raise BackendError(
                f"PostgreSQL at {self.where} did not do it: {kind}: {said}",
                permanent=isinstance(error, _REFUSED_FOR_GOOD),
            ) from error

    @contextmanager
    def _connected(self) -> Iterator[_Connection]:
        if not self._free_places.acquire(timeout=self._timeout_s):
            raise BackendError(
                f"All {self._n_most} connections to PostgreSQL at {self.where} were in use for "
                f'{self._timeout_s:g} s. Raise "maxconn" of the vector store.'
            )
        connection = None
        try:
            connection = self._take() or self._connect()
            yield connection
        finally:
            if connection is not None:
                self._give_back(connection)
            self._free_places.release()

    def _take(self) -> _Connection | None:
        """Return a connection that is left from before and still answers; None for a new one."""
        while True:
            with self._lock:
                if self._is_closed:
                    raise BackendError(f"The memories at {self.where} are closed; open them anew.")
                if not self._idle:
                    return None
                connection = self._idle.pop()
            started_s = time.monotonic()
            try:
                connection.execute("")
            except psycopg.Error:
                connection.close()
                if time.monotonic() - started_s > self._timeout_s:
                    raise  # it is there and silent: a new one would wait as long again
            else:
                return connection

    def _connect(self) -> _Connection:
        connection = _Connection.connect(
            self._address.conninfo, autocommit=True, prepare_threshold=None
        )
        connection.limit_s = self._timeout_s
        try:
            milliseconds = math.ceil(1_000 * _SHARE_OF_SERVER * self._timeout_s)
            connection.execute(
                "SELECT set_config('statement_timeout', %s, false)", (str(milliseconds),)
            )
        except BaseException:
            connection.close()
            raise
        return connection

    def _give_back(self, connection: _Connection) -> None:
        status = connection.info.transaction_status
        with self._lock:
            if not self._is_closed and status is psycopg.pq.TransactionStatus.IDLE:
                self._idle.append(connection)
                return
        with suppress(psycopg.Error):
            connection.close()
