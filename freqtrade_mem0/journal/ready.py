"""Records made ready for the journal: all that is computed before the file is locked.

They are plain values, so that another process can have computed them.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.numbers import Shorts, short
from freqtrade_mem0.journal.evidence.rows import plain_facts
from freqtrade_mem0.journal.rows import Row, record_row
from freqtrade_mem0.records.codec import decode
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.evidence.facts import Parts
    from freqtrade_mem0.journal.evidence.numbers import BriefOf
    from freqtrade_mem0.records.base import Record

Ready = tuple[Row, "Parts | bytes"]
"""A record's row, and the facts of its evidence before words have numbers."""

_MANY = 100
"""From so many records on, their numbers are worked out together."""


def made_ready(record: Record, body: str | None = None, brief_of: BriefOf = short) -> Ready:
    """Return a record ready to be written; raise `RecordError` as `record_row`.

    `body` is its JSON where that was checked before, `brief_of` from `all_briefs` of many records.
    """
    row = record_row(record, body)
    return row, plain_facts(record, str(row[-1]), brief_of)


def all_made_ready(records: Sequence[Record]) -> list[Ready]:
    """Return `made_ready` of each record; the numbers of many are worked out together."""
    rows = [record_row(each) for each in records]
    brief_of = all_briefs(records)
    return [
        (row, plain_facts(record, str(row[-1]), brief_of))
        for record, row in zip(records, rows, strict=True)
    ]


def all_briefs(records: Sequence[Record]) -> BriefOf:
    """Return `short`, which knows the numbers of many records' situations already."""
    if len(records) < _MANY:
        return short
    situations = [each.situation for each in records if isinstance(each, TradeRecord)]
    values = chain.from_iterable(each.values() for each in situations)
    return Shorts(each for each in values if type(each) is float).__getitem__


def record_in(ready: Ready) -> Record:
    """Return the record that was made ready."""
    row, _ = ready
    return decode(str(row[2]), str(row[-1]))


def kind_of(ready: Ready) -> str:
    """Return the kind of a record that was made ready."""
    return str(ready[0][2])
