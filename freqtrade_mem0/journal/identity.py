"""The identity of a journal file, so that another file in its place is noticed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.marks import Marks, read_mark, write_mark

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal

IDENTITY_MARK = "identity"
"""The mark with a random id, made when it is first asked for. A salvaged journal gets a new one."""


def identity_of(journal: Journal) -> str:
    """Return the journal's random id; make one if it has none."""
    identity = Marks(journal).get(IDENTITY_MARK).get("id")
    if not isinstance(identity, str):
        with journal.connection.write() as sqlite:
            # Another process may have been first.
            identity = read_mark(sqlite, IDENTITY_MARK).get("id")
            if not isinstance(identity, str):
                identity = secrets.token_hex(16)
                write_mark(sqlite, IDENTITY_MARK, {"id": identity})
    return identity


def last_row(journal: Journal, seq: int) -> str | None:
    """Return a text that identifies the record in a row; None if there is no such row.

    A journal that was restored from a copy and went on differently has other records there.
    """
    row = journal.connection.row(
        "SELECT id, lower(hex(said)), recorded_ms FROM evidence WHERE seq = ?", [seq]
    )
    return None if row is None else " ".join(map(str, [id_of(row[0]), *row[1:]]))
