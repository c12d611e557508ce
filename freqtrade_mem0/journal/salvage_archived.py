"""Takes what a damaged journal has archived into the new one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.evidence.read import EvidenceReader
from freqtrade_mem0.journal.evidence.rows import add_trade
from freqtrade_mem0.journal.evidence.sources import Nothing
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.old_decisions import add_old_decisions, old_decision
from freqtrade_mem0.journal.rows import record_row
from freqtrade_mem0.journal.verify import sound
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    import sqlite3

    from freqtrade_mem0.journal.readable import ReadableJournal
    from freqtrade_mem0.records.base import Record

_INSERT = "INSERT OR IGNORE INTO records VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


def carry_archive_over(sqlite: sqlite3.Connection, readable: ReadableJournal) -> None:
    """Write archived records and decisions, in a writing transaction of the new journal.

    Records come back into the table of records where their body can be read. Of others their
    evidence is kept, so that no stake changes.
    """
    reader = EvidenceReader(Nothing())
    reader.teach(readable.pairs("words"), readable.pairs("scopes"))
    for *columns, is_current, body in readable.archived():
        seq = columns[0]
        try:
            item = reader.item(columns)
        except RecordError:
            readable.incomplete.add("records")
            continue
        record: Record | None = None
        if isinstance(item, TradeEvidence):
            record = sound(TradeRecord, item.id, body, item.said)
        else:
            record = item
        if record is not None:
            record_id, said, *others = record_row(record)
            sqlite.execute(_INSERT, [seq, record_id, said, is_current, *others])
        elif isinstance(item, TradeEvidence):
            add_trade(sqlite, seq, item, is_current=is_current)
    for row in readable.old_decisions():
        try:
            add_old_decisions(sqlite, [(row[0], old_decision(row, reader.words))])
        except RecordError:
            readable.incomplete.add("decisions")
