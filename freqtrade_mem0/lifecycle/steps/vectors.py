"""Embeds memories anew whose vectors another embedder made, such as that of an earlier version."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.lifecycle.step import StepReport

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import Work

NAME = "Embedding old memories anew"
ORDER = 60
"""Before memories are compressed: vectors of another length would stay as they are."""

_PER_WRITE = 500


def run(work: Work) -> StepReport:
    """Embed in small parts; what is left when it has to stop is done by the next run."""
    n_done = 0
    try:
        while not work.dry_run and work.memory.delivers and not work.has_to_stop():
            began_s = time.perf_counter()
            n_renewed = work.memory.backend.renew(_PER_WRITE)
            if n_renewed == 0:
                break
            n_done += n_renewed
            work.progress(NAME, n_done, n_done)
            work.pause(time.perf_counter() - began_s)
    except BackendError as error:
        return StepReport(notes=[f"{error} Searches find such memories by their words alone."])
    return StepReport(counts={"embedded_anew": n_done} if n_done else {})
