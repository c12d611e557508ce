"""Prunes memories that are not hot any more, matter little and are not asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.aged import State
from freqtrade_mem0.lifecycle.aging import (
    DAY_MS,
    HOUR_MS,
    age_ms,
    is_in_archive,
    retention_days,
    unused_ms,
    with_memory,
)
from freqtrade_mem0.lifecycle.pruning import prune
from freqtrade_mem0.lifecycle.relevance import relevance
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.journal.aged import Aging
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Pruning by relevance"
ORDER = 30

ASKED_OFTEN = 2
UNUSED_DAYS = 7


def run(work: Work) -> StepReport:
    """Prune by relevance; trades go into summaries."""
    pruned = prune(work, NAME, _of_little_use(work), State.BY_RELEVANCE)
    return StepReport(
        counts={
            "pruned": {"by_relevance": len(pruned.rows)},
            "compressed": pruned.n_summarised,
        },
        ids={"pruned.by_relevance": pruned.ids},
        notes=pruned.notes,
    )


def may_go(work: Work, row: Aging) -> bool:
    """Return whether a memory goes if it is not relevant enough; never what is kept for ever."""
    lifecycle = work.settings.lifecycle
    return (
        retention_days(work.settings, row) is not None
        and not is_in_archive(row.kind)
        and age_ms(work, row) > lifecycle.hot_hours * HOUR_MS
        and row.n_asked < ASKED_OFTEN
        and (row.asked_ms == 0 or unused_ms(work, row) > UNUSED_DAYS * DAY_MS)
    )


def _of_little_use(work: Work) -> list[Aging]:
    least = work.settings.lifecycle.min_relevance_score
    rows = [row for row in with_memory(work) if may_go(work, row)] if least else []
    found = []
    for done, row in enumerate(rows, start=1):
        record = work.memory.journal.record(row.id)
        if record is not None and relevance(work, row, record).score < least:
            found.append(row)
        work.progress(NAME, done, len(rows))
    return found
