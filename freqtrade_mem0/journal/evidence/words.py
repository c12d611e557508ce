"""Texts that many rows of evidence share, each stored once: words, and scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from freqtrade_mem0.records.base import Mode, Origin

if TYPE_CHECKING:
    import sqlite3


class ScopeRow(NamedTuple):
    """What the rows of a run and kind have in common."""

    user_id: str
    strategy: str
    mode: str
    run_id: str
    kind: str
    category: str

    @property
    def checksum(self) -> int:
        """Of all texts; it is part of each row's checksum."""
        return crc32("\0".join(self).encode())

    @property
    def origin(self) -> Origin:
        """Who noted the records."""
        return Origin(
            user_id=self.user_id,
            strategy=self.strategy,
            mode=Mode(self.mode),
            run_id=self.run_id,
        )


class Words:
    """Gives words and scopes their numbers, inside one writing transaction."""

    def __init__(self, sqlite: sqlite3.Connection) -> None:
        self._sqlite = sqlite
        self._words: dict[str, int] = {}
        self._scopes: dict[tuple[str, ...], tuple[int, int]] = {}

    def number(self, word: str) -> int:
        """Return the number of a word, a new one where it has none."""
        known = self._words.get(word)
        if known is None:
            row = self._sqlite.execute("SELECT number FROM words WHERE word = ?", [word]).fetchone()
            known = row[0] if row else self._added("INSERT INTO words (word) VALUES (?)", word)
            self._words[word] = known
        return known

    def scope(self, scope: tuple[str, ...]) -> tuple[int, int]:
        """Return the number of a scope, a new one where it has none, and its checksum.

        `scope` has the values of a `ScopeRow`.
        """
        known = self._scopes.get(scope)
        if known is None:
            row = self._sqlite.execute(
                "SELECT number FROM scopes WHERE user_id = ? AND strategy = ? AND mode = ?"
                " AND run_id = ? AND kind = ? AND category = ?",
                scope,
            ).fetchone()
            number = (
                row[0]
                if row
                else self._added(
                    "INSERT INTO scopes (user_id, strategy, mode, run_id, kind, category)"
                    " VALUES (?, ?, ?, ?, ?, ?)",
                    *scope,
                )
            )
            known = self._scopes[scope] = number, ScopeRow(*scope).checksum
        return known

    def _added(self, statement: str, *values: str) -> int:
        number = self._sqlite.execute(statement, values).lastrowid
        assert number is not None  # noqa: S101 - for mypy: SQLite has just given it
        return number
