"""Looks for patterns in the trades of every bot that recorded trades on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.lifecycle.patterns import bots, bring_up_to_date, refreshed
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Looking for patterns"
ORDER = 5


def run(work: Work) -> StepReport:
    """Find, correct and withdraw the patterns of each bot."""
    journal, settings = work.memory.journal, work.settings
    counts = {"tested": 0, "found": 0, "withdrawn": 0}
    of_owner = bots(journal, settings.user_id) if settings.categories.learning_insights else []
    looks_at = refreshed if work.dry_run else bring_up_to_date
    for number, origin in enumerate(of_owner):
        if work.has_to_stop():
            break
        work.progress(NAME, number, len(of_owner))
        seen = looks_at(journal, origin, work.now, settings.lifecycle)
        counts["tested"] += seen.look.n_tested
        counts["found"] += seen.n_found
        counts["withdrawn"] += seen.n_withdrawn
    return StepReport(counts={"patterns": counts})
