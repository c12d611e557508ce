"""Moves bodies of the journal through the tiers.

Hot bodies are as they were written. Warm ones are compressed. In the archive, trades stand in
blocks and decisions are their numbers. Stakes are computed from evidence, which stays as it is.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.bodies.pack import pack
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.compact import LEAST_KEEP_DAYS
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.lifecycle.step import StepReport
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Compressing the journal"
ORDER = 80
"""After what reads or prunes memories, before files shrink."""


def run(work: Work) -> StepReport:
    """Archive what is old enough, and compress what is not new."""
    journal = Journal(work.memory.folder)
    # What a power cut takes back here is done again by the next cycle.
    journal.connection.is_patient = False
    try:
        return _run(work, BriefWrites(journal, work.pause, work.has_to_stop))
    finally:
        journal.close()


def _run(work: Work, writes: BriefWrites) -> StepReport:
    ages = work.settings.lifecycle
    hot_ms = to_ms(work.now - timedelta(hours=ages.hot_hours))
    cold_ms = to_ms(work.now - timedelta(hours=ages.cold_hours))
    # A bot that starts looks for the fills of younger decisions.
    needed_ms = to_ms(work.now - timedelta(days=LEAST_KEEP_DAYS))
    total = writes.journal.last_seq()

    def told(what: str, done: int) -> None:
        work.progress(f"{NAME}: {what}", done, max(total, done))

    archived = archive_records(
        writes, cold_ms, dry_run=work.dry_run, progress=partial(told, "old records")
    )
    reduced = archive_decisions(
        writes,
        min(cold_ms, needed_ms),
        dry_run=work.dry_run,
        progress=partial(told, "old decisions"),
    )
    packed = {
        table: pack(
            writes, table, hot_ms, dry_run=work.dry_run, progress=partial(told, f"warm {table}")
        )
        for table in ("records", "decisions")
    }
    return StepReport(
        counts={
            "journal": {
                "records_compressed": packed["records"],
                "decisions_compressed": packed["decisions"],
                "records_archived": archived,
                "decisions_archived": reduced,
            }
        }
    )
