"""Compares several strategies in processes of their own.

The processes are spawned, not forked, so that they start without any state of this one. Their
output goes to a log file, whose warnings are part of the outcome. Where a strategy is the last one,
both of its runs take place at the same time, so that no core waits.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.comparison import Comparison
from freqtrade_mem0.compare.engine import tick_sizes
from freqtrade_mem0.compare.engine.backtest import EngineError, Job
from freqtrade_mem0.compare.engine.run_both import run_both
from freqtrade_mem0.compare.trades import Run
from freqtrade_mem0.errors import Mem0Error

if TYPE_CHECKING:
    from pathlib import Path


LOG_NAME = "freqtrade.log"

_POLL_S = 0.2
_WARNING = re.compile(r" - (?:WARNING|ERROR|CRITICAL) - (.+)$", re.MULTILINE)
_IMPORT_FAILED = "Could not import"

Watch = Callable[[Sequence[float]], None]
"""Takes the share of each run that is done, 0 to 1: for each job without and with memory."""

Judge = Callable[[str, Run, Run], "Comparison"]
"""Compares the runs of a strategy, which it is given by name; it must be picklable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one job: the runs without and with memory, or why it failed."""

    strategy: str
    runs: tuple[Run, Run] | None
    error: str
    warnings: tuple[str, ...]
    comparison: Comparison | None = None


def run_all(
    jobs: Sequence[Job], *, n_processes: int, watch: Watch, judge: Judge | None = None
) -> list[Outcome]:
    """Run all jobs; a failure of one does not stop the others.

    Parameters
    ----------
    jobs
        Each with a folder of its own.
    n_processes
        Backtests at the same time, >= 1.
    watch
        Called several times per second, in this process.
    judge
        Compares the runs of each job, in the job's process.
    """
    context = multiprocessing.get_context("spawn")
    shares = context.RawArray("d", 2 * len(jobs))
    slots = context.Semaphore(n_processes)
    n_workers = max(1, min(n_processes, len(jobs)))
    with ProcessPoolExecutor(n_workers, context, _begin, (shares, slots)) as pool:
        futures = [pool.submit(_work, number, job, judge) for number, job in enumerate(jobs)]
        waiting = set(futures)
        while waiting:
            _, waiting = wait(waiting, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            watch(list(shares))
    return [_outcome(job, future) for job, future in zip(jobs, futures, strict=True)]


def warnings_in(log: str) -> tuple[str, ...]:
    r"""Return the warnings and errors in a log of Freqtrade, each once, in order.

    >>> warnings_in("2026-01-01 - x - WARNING - Mind this.\n2026-01-01 - x - INFO - All well.")
    ('Mind this.',)
    """
    return tuple(dict.fromkeys(found.strip() for found in _WARNING.findall(log)))


def _outcome(job: Job, future: Any) -> Outcome:
    warnings = warnings_in(_read(job.folder / LOG_NAME))
    runs, comparison, error = None, None, ""
    try:
        runs, comparison = future.result()
    except Mem0Error as failure:
        # Freqtrade's error says only that the class can not be loaded; its log says why.
        reasons = (warning for warning in warnings if warning.startswith(_IMPORT_FAILED))
        error = " ".join([str(failure), *reasons])
    except BrokenProcessPool:
        error = "The process ended unexpectedly, possibly for lack of memory (RAM). Try --jobs 1."
    return Outcome(
        strategy=job.strategy, runs=runs, error=error, warnings=warnings, comparison=comparison
    )


_shares: Any = None
"""Progress, in memory shared by all processes; set once in each worker."""

_slots: Any = None
"""How many more backtests may run now; set once in each worker."""


def _begin(shares: Any, slots: Any) -> None:
    global _shares, _slots
    _shares, _slots = shares, slots
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl+C ends it without a traceback
    signal.signal(signal.SIGTERM, _end)
    # A worker holds the queue it reads from open itself, so the end of a parent that is killed
    # would never reach it.
    threading.Thread(
        target=_end_with, args=(multiprocessing.parent_process(),), daemon=True
    ).start()
    logging.disable(logging.INFO)  # only warnings are read


def _end_with(parent: Any) -> None:
    """Wait for the end of the parent; what it would have waited for is of no use then."""
    parent.join()
    _end()


def _end(*_: object) -> None:
    """End this worker and the backtests that it forked, which have this handler, too."""
    for child in multiprocessing.active_children():
        child.terminate()
    os._exit(128 + signal.SIGTERM)


def _work(number: int, job: Job, judge: Judge | None) -> tuple[tuple[Run, Run], Comparison | None]:
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / LOG_NAME).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)

    def tell(which: int, share: float) -> None:
        _shares[2 * number + which] = share

    try:
        tick_sizes.share()
        with _slots:
            runs = run_both(job, tell, slots=_slots)
            return runs, None if judge is None else judge(job.strategy, *runs)
    except Mem0Error:
        raise
    except Exception as error:
        logging.getLogger(__name__).exception("The comparison of %s failed.", job.strategy)
        message = str(error) or type(error).__name__
        raise EngineError(f"{type(error).__name__} in {job.strategy}: {message}") from None


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
