"""Runs one strategy without and with memory, or a rule of it, from the same state.

Config, candles, markets and indicators are loaded once. Then the process forks: both runs start
from the same state, and nothing that the strategy stores in one run (a counter, a cache, a class
attribute) can reach the other. Where forking is unsafe (macOS), everything is loaded twice.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.compare.engine import backtest, fork

if TYPE_CHECKING:
    from freqtrade_mem0.compare.engine.backtest import Job
    from freqtrade_mem0.compare.trades import Run

Tell = Callable[[int, float], None]
"""Takes the run (0 for the first, 1 for the second) and the share that is done, 0 to 1."""


def run_both(job: Job, tell: Tell, *, at_once: bool) -> tuple[Run, Run]:
    """Return the runs without and with memory, or without and with the rule that is tried.

    Parameters
    ----------
    job
        The strategy.
    tell
        Called with progress, in the process that runs the backtest.
    at_once
        Run both at the same time.

    Raises
    ------
    Mem0Error
        The config, the strategy or its data are wrong.
    """
    if not fork.IS_SAFE:
        without, remembered = (
            backtest.run(backtest.prepare(job, partial(tell, which)), second=bool(which))
            for which in (0, 1)
        )
        return without, remembered
    which = [0]
    prepared = backtest.prepare(job, lambda share: tell(which[0], share))
    children = []
    for second in (False, True):
        which[0] = int(second)  # each child has its own copy
        child = fork.start(partial(backtest.run, prepared, second=second))
        children.append(child)
        if not at_once:
            child.wait()
    without, remembered = (child.result() for child in children)
    return without, remembered
