"""Results beside the pages: computed once, given again, and never a reason to fail."""

from __future__ import annotations

import threading
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.service.live import judging
from freqtrade_mem0.service.live.background import Background
from freqtrade_mem0.service.live.judging import Judge
from freqtrade_mem0.worth.stakes import Stakes
from tests.support.wait import eventually

if TYPE_CHECKING:
    import pytest


def test_a_result_is_computed_once_and_a_page_does_not_wait_for_it() -> None:
    """The first answer is None, and the result comes later."""
    background, goes_on, calls = Background(), threading.Event(), []

    def compute() -> int:
        calls.append(1)
        goes_on.wait()
        return 7

    assert background.result("key", compute) is None
    goes_on.set()
    assert eventually(lambda: background.result("key", compute) == 7)
    assert len(calls) == 1
    background.close()


def test_a_result_that_fails_is_none() -> None:
    """And the next key is computed all the same."""
    background = Background()
    assert background.result("wrong", lambda: 1 // 0) is None
    assert eventually(lambda: background.result("right", lambda: 2) == 2)
    background.close()


def test_the_latest_result_is_shown_while_a_new_one_is_computed() -> None:
    """A count is never taken away from a page."""
    background, numbers = Background(), iter(range(100))
    assert eventually(lambda: background.latest("key", lambda: next(numbers)) == 0)
    assert eventually(lambda: (background.latest("key", lambda: next(numbers)) or 0) > 0)
    background.close()


def test_many_trades_are_judged_by_another_process_in_the_same_way(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same stakes, the same figures."""
    draw = np.random.default_rng(3)
    n = 300
    stakes = Stakes(
        first=date(2024, 1, 1),
        proposed=np.full(n, 100.0),
        multipliers=draw.uniform(0.5, 1.5, n),
        base=draw.normal(0.1, 1.0, n),
        days=np.arange(n, dtype=np.int64),
    )
    here = Judge().judged(stakes)
    monkeypatch.setattr(judging, "_FEW", 0)
    assert Judge().judged(stakes) == here
