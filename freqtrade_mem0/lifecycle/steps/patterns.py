"""Looks for patterns in the trades of every bot that recorded trades on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.lifecycle.patterns import bots, bring_up_to_date, refreshed
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Looking for patterns"
ORDER = 5

_NO_BOTS = (
    "Patterns are looked for in the trades of dry-run and live bots, and none is here; "
    "'freqtrade-mem0 patterns' shows those of a backtest."
)
_OFF = "Patterns are not looked for: 'mem0.categories.learning_insights' is false."


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
    notes = [] if of_owner else [_NO_BOTS if settings.categories.learning_insights else _OFF]
    return StepReport(counts={"patterns": counts}, notes=notes)
