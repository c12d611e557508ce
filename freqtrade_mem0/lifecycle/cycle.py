"""One cycle over a memory: every step in `lifecycle/steps/`, in order, and the report."""

from __future__ import annotations

import time
from contextlib import nullcontext
from operator import attrgetter
from typing import TYPE_CHECKING, cast

from freqtrade_mem0.config.discovery import modules_in
from freqtrade_mem0.lifecycle.lock import only_one
from freqtrade_mem0.lifecycle.report import CycleReport, summed
from freqtrade_mem0.lifecycle.step import Work
from freqtrade_mem0.lifecycle.tiers import measured

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.core_memory.outcomes import StoredCandles
    from freqtrade_mem0.lifecycle.step import Step
    from freqtrade_mem0.memory_folder import MemoryFolder

STEPS = "freqtrade_mem0.lifecycle.steps"


def steps() -> list[Step]:
    """Return the steps of a cycle in the order in which they run."""
    found = cast("list[Step]", list(modules_in(STEPS).values()))
    return sorted(found, key=attrgetter("ORDER", "NAME"))


def run_cycle(
    memory: MemoryFolder,
    now: datetime,
    *,
    dry_run: bool = False,
    alone: bool = False,
    progress: Callable[[str, int, int], None] = lambda *_: None,
    has_to_stop: Callable[[], bool] = lambda: False,
    pause: Callable[[float], None] = time.sleep,
    candles: StoredCandles | None = None,
) -> CycleReport:
    """Run one cycle; bots may keep running meanwhile.

    Parameters
    ----------
    memory, now, dry_run, alone, progress, has_to_stop, pause, candles
        As in `Work`.

    Raises
    ------
    JournalError
        The journal can not be used, or another cycle works on the same folder.
    BackendError
        Mem0 can not be reached; what was done so far stays.
    """
    began_s = time.monotonic()
    work = Work(
        memory=memory,
        now=now,
        dry_run=dry_run,
        alone=alone,
        progress=progress,
        has_to_stop=has_to_stop,
        pause=pause,
        candles=candles,
    )
    done = []
    # A dry run only reads, and leaves no lock file behind.
    with nullcontext() if dry_run else only_one(memory.folder):
        before = measured(memory)
        for step in steps():
            if has_to_stop():
                break
            progress(step.NAME, 0, 0)
            done.append(step.run(work))
        finished = not has_to_stop()
        after = measured(memory)
    return CycleReport(
        dry_run=dry_run,
        finished=finished,
        duration_s=time.monotonic() - began_s,
        before=before,
        after=after,
        counts=summed(done),
        ids={name: list(ids) for report in done for name, ids in report.ids.items()},
        notes=list(dict.fromkeys(note for report in done for note in report.notes)),
    )
