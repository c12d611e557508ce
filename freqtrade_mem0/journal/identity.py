"""Tells a journal from every other one, also from one that later stands in its place."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.marks import read_mark, write_mark

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal

IDENTITY_MARK = "identity"
"""A random id, made when somebody first asks. A journal made of another one's remains, as `salvage`
does it, has its own."""


def identity_of(journal: Journal) -> str:
    """Return what tells this journal from others, giving it one where it has none.

    Raises
    ------
    JournalError
        The file can not be used.
    """
    with journal.connection.read() as sqlite:
        mark = read_mark(sqlite, IDENTITY_MARK)
    if not mark:
        with journal.connection.write() as sqlite:
            # Another process may have been first.
            mark = read_mark(sqlite, IDENTITY_MARK) or {"id": secrets.token_hex(16)}
            write_mark(sqlite, IDENTITY_MARK, mark)
    identity: str = mark["id"]
    return identity


def last_row(journal: Journal, seq: int) -> str | None:
    """Return what tells the record in a row from any other, None where there is none.

    A journal that was put back to an earlier state and went on differently has other rows there.
    """
    with journal.connection.read() as sqlite:
        row = sqlite.execute(
            "SELECT id, content_hash, recorded_ms FROM records WHERE seq = ?", [seq]
        ).fetchone()
    return None if row is None else " ".join(map(str, row))
