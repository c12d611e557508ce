"""Fills in what became of agents' decisions, and writes their files if the config asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.live_files import LiveFiles
from freqtrade_mem0.core_memory.outcomes import Outcomes
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Filling in outcomes of decisions"
ORDER = 4


def run(work: Work) -> StepReport:
    """Look at bots' trades and, where the caller knows a config, at stored candles."""
    journal, owner = work.memory.journal, work.settings.user_id
    notes = []
    keep = (lambda _: None) if work.dry_run else journal.append
    n_found = 0
    if work.settings.categories.learning_insights:
        n_found = Outcomes(journal, owner, work.candles).resolve(work.now, keep)
    if not work.dry_run:
        try:
            LiveFiles(work.memory, owner).update()
        except OSError as error:
            notes.append(f"The files of agents' memory can not be written: {error}")
    return StepReport(counts={"outcomes": n_found}, notes=notes)
