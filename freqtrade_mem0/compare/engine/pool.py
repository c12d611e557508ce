"""Compares several strategies, each in a process of its own.

The processes are spawned, not forked, so that they start without any state of this one. Their
output goes to a log file, whose warnings are part of the outcome.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import re
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of one job: the runs without and with memory, or why it failed."""

    strategy: str
    runs: tuple[Run, Run] | None
    error: str
    warnings: tuple[str, ...]


def run_all(jobs: Sequence[Job], *, n_processes: int, watch: Watch) -> list[Outcome]:
    """Run all jobs; a failure of one does not stop the others.

    Parameters
    ----------
    jobs
        Each with a folder of its own.
    n_processes
        Backtests at the same time, >= 1.
    watch
        Called several times per second, in this process.
    """
    context = multiprocessing.get_context("spawn")
    shares = context.RawArray("d", 2 * len(jobs))
    n_workers = max(1, min(n_processes, len(jobs)))
    at_once = n_processes >= 2 * n_workers
    with ProcessPoolExecutor(n_workers, context, _begin, (shares,)) as pool:
        futures = [
            pool.submit(_work, number, job, at_once=at_once) for number, job in enumerate(jobs)
        ]
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
    runs, error = None, ""
    try:
        runs = future.result()
    except Mem0Error as failure:
        # Freqtrade's error says only that the class can not be loaded; its log says why.
        reasons = (warning for warning in warnings if warning.startswith(_IMPORT_FAILED))
        error = " ".join([str(failure), *reasons])
    except BrokenProcessPool:
        error = "The process ended unexpectedly, possibly for lack of memory (RAM). Try --jobs 1."
    return Outcome(strategy=job.strategy, runs=runs, error=error, warnings=warnings)


_shares: Any = None
"""Progress, in memory shared by all processes; set once in each worker."""


def _begin(shares: Any) -> None:
    global _shares  # noqa: PLW0603 - a worker receives it when it starts, and only then
    _shares = shares
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl+C ends it without a traceback
    logging.disable(logging.INFO)  # only warnings are read


def _work(number: int, job: Job, *, at_once: bool) -> tuple[Run, Run]:
    job.folder.mkdir(parents=True, exist_ok=True)
    with (job.folder / LOG_NAME).open("ab") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)

    def tell(which: int, share: float) -> None:
        _shares[2 * number + which] = share

    try:
        runs = run_both(job, tell, at_once=at_once)
    except Mem0Error:
        raise
    except Exception as error:
        logging.getLogger(__name__).exception("The comparison of %s failed.", job.strategy)
        message = str(error) or type(error).__name__
        raise EngineError(f"{type(error).__name__} in {job.strategy}: {message}") from None
    tell(0, 1.0)
    tell(1, 1.0)
    return runs


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
