"""When the second run of a strategy starts."""

from __future__ import annotations

from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.compare.engine import backtest, fork
from freqtrade_mem0.compare.engine.run_both import run_both

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(not fork.IS_SAFE, reason="this system can not fork safely")

FORK = get_context("fork")
HANG_S = 60.0


@pytest.fixture
def job(tmp_path: Path) -> backtest.Job:
    """Return a job that no engine reads."""
    return backtest.Job(strategy="S", options=(), folder=tmp_path)


def runs_as(monkeypatch: pytest.MonkeyPatch, run: Any) -> None:
    """Let a function stand in for Freqtrade's engine."""
    monkeypatch.setattr(backtest, "prepare", lambda *_: None)
    monkeypatch.setattr(backtest, "run", run)


def test_it_takes_a_free_slot_while_the_first_runs(
    job: backtest.Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one here ends only when the second has begun; the slot is given back."""
    began, slots = FORK.Event(), FORK.Semaphore(1)

    def run(_: object, *, second: bool) -> bool:
        if second:
            began.set()
            return True
        return began.wait(HANG_S)

    runs_as(monkeypatch, run)

    runs: Any = run_both(job, lambda *_: None, slots=slots)

    assert runs == (True, True)
    assert slots.acquire(block=False)


def test_it_waits_for_the_first_where_no_slot_is_free(
    job: backtest.Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It finds that the first has ended; progress is done only when a run is."""
    ended, slots, told = FORK.Event(), FORK.Semaphore(0), []

    def run(_: object, *, second: bool) -> bool:
        if second:
            return ended.is_set()
        ended.set()
        return True

    runs_as(monkeypatch, run)

    runs: Any = run_both(job, lambda *done: told.append(done), slots=slots)

    assert runs == (True, True)
    assert told == [(0, 1.0), (1, 1.0)]
    assert not slots.acquire(block=False)
