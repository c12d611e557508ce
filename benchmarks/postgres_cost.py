"""What work costs a PostgreSQL: processor time, buffers of its statements, connections, its log."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import psutil  # type: ignore[import-untyped]
import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.contract.postgres import Server

Statement = tuple[Any, Any]
"""A statement and its parameters, as they were handed to psycopg."""

_EXPLAIN = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "


def cpu_by_process(server: Server) -> dict[int, float]:
    """Return the processor time of the server's processes until now, in seconds, by their ids."""
    found = {}
    for pid in server.pids():
        try:
            found[pid] = _cpu_s(pid)
        except (psutil.NoSuchProcess, ProcessLookupError):  # a connection that ended meanwhile
            continue
    return found


def cpu_since(server: Server, before: dict[int, float]) -> float:
    """Return what the server has used since; of processes that ended meanwhile nothing is known."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in cpu_by_process(server).items())


@contextmanager
def statements() -> Iterator[list[Statement]]:
    """Give a list into which all statements go that this process sends meanwhile."""
    sent: list[Statement] = []
    with ExitStack() as patched:
        for cursor in (psycopg.Cursor, psycopg.ServerCursor):
            own = cursor.execute

            def execute(
                self: Any, query: Any, params: Any = None, *, _own: Any = own, **more: Any
            ) -> Any:
                sent.append((query, params))
                return _own(self, query, params, **more)

            patched.enter_context(patch.object(cursor, "execute", execute))
        yield sent


def explained(
    server: Server, database: str, sent: Sequence[Statement], table: str = "mem0"
) -> dict[str, int]:
    """Run again those statements that read a table; return the buffers and rows they take.

    Returns
    -------
    dict
        `statements`, `rows` that came back, `buffers` of 8 kB that were looked at, and
        `buffers_from_disk`, those of them that were not in PostgreSQL's memory.
    """
    address = server.block(database)["config"]
    found = {"statements": 0, "rows": 0, "buffers": 0, "buffers_from_disk": 0}
    with psycopg.connect(autocommit=True, **address) as connection:
        for query, params in sent:
            text = query if isinstance(query, str) else query.as_string(connection)
            if f'"{table}"' not in text or not text.startswith(("SELECT", "WITH")):
                continue
            asked = sql.Composed([sql.SQL(_EXPLAIN), sql.SQL(text)])
            row = connection.execute(asked, params).fetchone()
            plan = row[0][0]["Plan"] if row else {}
            found["statements"] += 1
            found["rows"] += plan["Actual Rows"]
            found["buffers"] += plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            found["buffers_from_disk"] += plan["Shared Read Blocks"]
    return found


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process with one thread; to a nanosecond where Linux says."""
    precise = Path(f"/proc/{pid}/schedstat")
    if precise.exists():
        return int(precise.read_text(encoding="utf-8").split()[0]) / 1e9
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


def log_position(server: Server) -> int:
    """Return how many bytes the server has written to its log (WAL) since it was made."""
    ((position,),) = server.run("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint")
    return int(position)


def connections(server: Server, database: str) -> int:
    """Return how many connections our package holds to a database now."""
    return len(_pids(server, database))


def bytes_per_connection(server: Server, database: str) -> int:
    """Return the memory that one of our connections takes for itself, the largest of them."""
    pids = _pids(server, database)
    return max((psutil.Process(pid).memory_full_info().uss for pid in pids), default=0)


def _pids(server: Server, database: str) -> list[int]:
    """Return the server's processes that serve our package on a database."""
    found = server.run(
        "SELECT pid FROM pg_stat_activity WHERE application_name = 'freqtrade_mem0'"
        " AND datname = current_database()",
        database,
    )
    return [pid for (pid,) in found]
