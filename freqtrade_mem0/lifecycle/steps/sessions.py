"""Deletes values of session memory whose time is over, where no call has done so yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.lifecycle.step import StepReport
from freqtrade_mem0.session_memory.sqlite import SqliteStore

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Deleting ended sessions"
ORDER = 15


def run(work: Work) -> StepReport:
    """Delete what has ended."""
    store = SqliteStore(work.memory.folder)
    try:
        if not work.dry_run:
            store.purge()
    except BackendError as error:
        return StepReport(notes=[f"{error} The next run tries again."])
    finally:
        store.close()
    return StepReport()
