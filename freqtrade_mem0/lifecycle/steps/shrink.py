"""Gives the space of what was deleted back to the disk, in the journal and in Mem0's own file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.compact import compact
from freqtrade_mem0.lifecycle.aging import only_own
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Shrinking files"
ORDER = 90


def run(work: Work) -> StepReport:
    """Compact the journal, and let Mem0 give back space where it can."""
    memory = work.memory
    if work.dry_run:
        done = compact(memory.journal.path, work.now, dry_run=True, alone=work.alone)
        return StepReport(
            counts={"compacted": {"records": done.records, "decisions": done.decisions}}
        )
    memory.aged.tidy()
    done = compact(memory.journal.path, work.now, pause=work.pause, alone=work.alone)
    notes = []
    if not done.can_shrink:
        notes.append(
            "The journal was created by an earlier version and can not become smaller while a bot "
            "uses it: run 'freqtrade-mem0 compact' once when none does."
        )
    given_back = done.bytes_before - done.bytes_after
    if memory.delivers:
        work.progress(NAME, 1, 2)
        # Bots of other machines use a Mem0 that is shared, whoever is alone in this folder.
        alone = work.alone and not only_own(work)
        given_back += memory.backend.shrink(work.pause, alone=alone)
        notes += memory.backend.upkeep_limits
    return StepReport(
        counts={
            "compacted": {"records": done.records, "decisions": done.decisions},
            "bytes_given_back": max(given_back, 0),
        },
        notes=notes,
    )
