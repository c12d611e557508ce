"""Delivers what waits: a memory can not age in Mem0 before it is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Delivering to Mem0"
ORDER = 10


def run(work: Work) -> StepReport:
    """Deliver for as long as the config allows; what still waits does not age in this cycle."""
    memory = work.memory
    waiting = memory.outbox.state().pending
    if work.dry_run or not memory.delivers or not waiting:
        return StepReport()
    done = 0

    def progress(n: int) -> None:
        nonlocal done
        done += n
        work.progress(NAME, done, waiting)

    if delivery_of(memory).drain(memory.settings.delivery.flush_timeout_s or 60.0, progress):
        return StepReport()
    pending = memory.outbox.state().pending
    return StepReport(
        notes=[f"{pending} records still wait for Mem0; they age once they are there."]
    )
