"""A small SQLite file beside the journal, for what no bot waits for."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from freqtrade_mem0.errors import ConfigError, Mem0Error
from freqtrade_mem0.sqlite_files.connecting import in_memory, transaction
from freqtrade_mem0.sqlite_files.opening import create_privately, explain, open_shared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class OwnFile:
    """The file, opened at first use; threads and processes may share it.

    A class of its own names each file.

    Parameters
    ----------
    folder
        The memory's folder; made with the file where it is missing.
    now
        Returns the time in epoch seconds.
    """

    name: ClassVar[str]
    application_id: ClassVar[int]
    """Tells it from other SQLite files."""
    schema: ClassVar[str]
    """Statements that make its tables where they are missing."""
    timeout_s: ClassVar[float] = 10.0
    """How long a statement waits for another process's write."""

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self.path = folder / self.name
        self._now = now
        self._lock = threading.Lock()
        self._opened: sqlite3.Connection | None = None

    def refusal(self, why: str) -> Mem0Error:
        """Return the error that is raised where the file can not be used."""
        return ConfigError(why)

    def now_ms(self) -> int:
        """Return the time in epoch milliseconds."""
        return round(self._now() * 1_000)

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a query; reading makes no file."""
        with self._used(create=False) as sqlite:
            return sqlite.execute(query, values).fetchall()

    @contextmanager
    def write(self, *, create: bool = True) -> Iterator[sqlite3.Connection]:
        """Give the connection inside one transaction.

        Without `create`, a file that is missing stays so, and the connection is to an empty one.
        """
        with self._used(create=create) as sqlite, transaction(sqlite):
            yield sqlite

    def close(self) -> None:
        """Close the file; a later use opens it again."""
        with self._lock:
            if self._opened is not None:
                self._opened.close()
                self._opened = None

    @contextmanager
    def _used(self, *, create: bool) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                if self._opened is None and not create and not self.path.exists():
                    empty = in_memory()
                    empty.executescript(self.schema)
                    yield empty
                    return
                if self._opened is None:
                    self._opened = self._open()
                yield self._opened
            except (OSError, sqlite3.Error) as error:
                why = isinstance(error, sqlite3.Error) and explain(error, self.path)
                raise self.refusal(f"{self.path} can not be used: {why or error}.") from error

    def _open(self) -> sqlite3.Connection:
        create_privately(self.path)
        opened = open_shared(
            self.path,
            self.timeout_s,
            refuse=self._refuse,
            new_file_pragma=f"PRAGMA application_id = {self.application_id}",
        )
        opened.execute("PRAGMA secure_delete = ON")
        opened.executescript(self.schema)
        return opened

    def _refuse(self, sqlite: sqlite3.Connection) -> None:
        (found,) = sqlite.execute("PRAGMA application_id").fetchone()
        if self.path.stat().st_size and found != self.application_id:
            raise self.refusal(f"{self.path} is no file of freqtrade_mem0; move it away.")
