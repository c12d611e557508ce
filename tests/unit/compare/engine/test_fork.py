"""Work in a forked process: results, failures and sudden deaths."""

from __future__ import annotations

import os

import pytest

from freqtrade_mem0.compare.engine.fork import IS_SAFE, ChildError, start
from freqtrade_mem0.errors import RecordError

pytestmark = pytest.mark.skipif(not IS_SAFE, reason="this system can not fork safely")


def test_work_starts_from_what_is_there_and_changes_nothing_here() -> None:
    """The child sees this process's objects as they were, and its changes are its own."""
    held = [1, 2]

    def work() -> list[int]:
        held.append(3)
        return held

    assert start(work).result() == [1, 2, 3]
    assert held == [1, 2]


def test_failures_come_back_as_sentences() -> None:
    """An error of ours by its sentence, any other by name and sentence; asked again, the same."""

    def refuse() -> None:
        raise RecordError("This will not do.")

    def fail() -> None:
        raise KeyError("rsi")

    child = start(refuse)
    for _ in range(2):
        with pytest.raises(ChildError, match=r"^This will not do\.$"):
            child.result()
    with pytest.raises(ChildError, match="KeyError: 'rsi'"):
        start(fail).result()


def test_a_child_that_is_killed_is_missed() -> None:
    """No answer, no hanging: the exit code is in the sentence."""
    with pytest.raises(ChildError, match="exit code -9"):
        start(lambda: os.kill(os.getpid(), 9)).result()


def test_several_children_work_at_once() -> None:
    """Each gives its own result, in whichever order it is asked for."""
    children = [start(lambda number=number: number**2) for number in range(3)]  # type: ignore[misc]

    assert [child.result() for child in reversed(children)] == [4, 1, 0]
