"""Records made ready for the journal: all that is computed before the file is locked.

They are plain values, so that another process can have computed them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.rows import plain_facts
from freqtrade_mem0.journal.rows import Row, record_row
from freqtrade_mem0.records.codec import decode

if TYPE_CHECKING:
    from freqtrade_mem0.journal.evidence.facts import Parts
    from freqtrade_mem0.records.base import Record

Ready = tuple[Row, "Parts | bytes"]
"""A record's row, and the facts of its evidence before words have numbers."""


def made_ready(record: Record, body: str | None = None) -> Ready:
    """Return a record ready to be written; raise `RecordError` as `record_row`.

    `body` is its JSON where that was checked before.
    """
    row = record_row(record, body)
    return row, plain_facts(record, str(row[-1]))


def record_in(ready: Ready) -> Record:
    """Return the record that was made ready."""
    row, _ = ready
    return decode(str(row[2]), str(row[-1]))


def kind_of(ready: Ready) -> str:
    """Return the kind of a record that was made ready."""
    return str(ready[0][2])
