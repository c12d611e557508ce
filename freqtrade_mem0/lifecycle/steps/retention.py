"""Prunes memories that are older than the config keeps them, and mends summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.aged import State
from freqtrade_mem0.lifecycle.aging import DAY_MS, age_ms, retention_days, with_memory
from freqtrade_mem0.lifecycle.pruning import prune
from freqtrade_mem0.lifecycle.step import StepReport
from freqtrade_mem0.lifecycle.summaries import Summaries
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from freqtrade_mem0.journal.aged import Aging
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Pruning by age"
ORDER = 20


def run(work: Work) -> StepReport:
    """Prune by age; trades go into summaries."""
    n_mended = Summaries(work).mend()
    pruned = prune(work, NAME, _too_old(work), State.BY_AGE)
    return StepReport(
        counts={
            "pruned": {"by_age": len(pruned.rows)},
            "compressed": pruned.n_summarised,
            "summaries": {"mended": n_mended},
        },
        ids={"pruned.by_age": pruned.ids},
        notes=pruned.notes,
    )


def _too_old(work: Work) -> list[Aging]:
    most_trades = work.settings.retention.max_trades
    n_trades = 0
    found = []
    for row in with_memory(work):  # the youngest first
        days = retention_days(work.settings, row)
        n_trades += row.kind == TradeRecord.kind
        is_one_too_many = (
            row.kind == TradeRecord.kind and most_trades is not None and n_trades > most_trades
        )
        if is_one_too_many or (days is not None and age_ms(work, row) > days * DAY_MS):
            found.append(row)
    return found
