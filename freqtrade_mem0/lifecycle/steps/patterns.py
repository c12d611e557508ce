"""Looks for patterns in the trades of every bot that recorded trades on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.lifecycle.patterns import bots, refreshed
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "patterns"
ORDER = 20

_BATCH = 50
"""Records written in one transaction."""


def run(work: Work) -> StepReport:
    """Find, correct and withdraw the patterns of each bot."""
    memory, settings = work.memory, work.settings
    counts = {"tested": 0, "found": 0, "withdrawn": 0}
    if not settings.categories.learning_insights:
        return StepReport(counts={"patterns": counts})
    of_owner = [each for each in bots(memory.journal) if each.user_id == settings.user_id]
    for number, origin in enumerate(of_owner):
        if work.has_to_stop():
            break
        work.progress(NAME, number, len(of_owner))
        seen = refreshed(memory.journal, origin, work.now, settings.lifecycle)
        counts["tested"] += seen.look.n_tested
        counts["found"] += seen.n_found
        counts["withdrawn"] += seen.n_withdrawn
        for first in range(0, 0 if work.dry_run else len(seen.records), _BATCH):
            memory.journal.append(seen.records[first : first + _BATCH])
    return StepReport(counts={"patterns": counts})
