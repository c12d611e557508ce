"""Runs one strategy without and with memory, or a rule of it, from the same state.

Config, candles, markets and indicators are loaded once. Then the process forks: both runs start
from the same state, and nothing that the strategy stores in one run (a counter, a cache, a class
attribute) can reach the other. Where forking is unsafe (macOS), everything is loaded twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.engine import backtest, fork

if TYPE_CHECKING:
    from freqtrade_mem0.compare.engine.backtest import Job
    from freqtrade_mem0.compare.trades import Run

Tell = Callable[[int, float], None]
"""Takes the run (0 for the first, 1 for the second) and the share that is done, 0 to 1."""

_LOOP = 0.9
"""Share of a run that its loop takes; Freqtrade's statistics and reading the journal follow."""

_POLL_S = 0.1


def run_both(job: Job, tell: Tell, *, slots: Any) -> tuple[Run, Run]:
    """Return the runs without and with memory, or without and with the rule that is tried.

    Parameters
    ----------
    job
        The strategy.
    tell
        Called with progress, in the process that runs the backtest.
    slots
        A semaphore that counts how many more backtests may run now; one is the caller's. The second
        run starts as soon as there is another one, or when the first has ended.

    Raises
    ------
    Mem0Error
        The config, the strategy or its data are wrong.
    """
    which = [0]

    def loop(share: float) -> None:
        tell(which[0], _LOOP * share)

    if not fork.IS_SAFE:
        runs = []
        for which[0] in (0, 1):
            runs.append(backtest.run(backtest.prepare(job, loop), second=bool(which[0])))
            tell(which[0], 1.0)
        return runs[0], runs[1]
    prepared = backtest.prepare(job, loop)
    first = fork.start(partial(backtest.run, prepared, second=False))
    is_beside = False
    while not is_beside and not first.wait(_POLL_S):
        is_beside = slots.acquire(block=False)
    try:
        which[0] = 1  # each child has its own copy
        second = fork.start(partial(backtest.run, prepared, second=True))
        first.wait()
        tell(0, 1.0)
    finally:
        if is_beside:
            slots.release()
    second.wait()
    tell(1, 1.0)
    return first.result(), second.result()
