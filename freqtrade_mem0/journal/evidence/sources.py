"""Where evidence is read from: a connection of the journal, a plain one, or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


class Rows(Protocol):
    """The part of `Connection` that is used."""

    @property
    def n_opened(self) -> int: ...  # noqa: D102 - as in `Connection`, all of them

    def row(self, query: str, values: Sequence[object] = ()) -> Any: ...  # noqa: D102

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]: ...  # noqa: D102


class OnFile:
    """An open connection to SQLite as `Rows`."""

    n_opened = 0

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        self._sqlite = sqlite

    def row(self, query: str, values: Sequence[object] = ()) -> Any:
        """Return the first row of a query; None if there is none."""
        return self._sqlite.execute(query, values).fetchone()

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return the rows of a query."""
        return self._sqlite.execute(query, values).fetchall()


class Nothing:
    """No rows, as `Rows`: for a reader that is taught all it needs."""

    n_opened = 0

    def row(self, query: str, values: Sequence[object] = ()) -> Any:
        """Return None."""
        del query, values

    def rows(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """Return no row."""
        del query, values
        return []
