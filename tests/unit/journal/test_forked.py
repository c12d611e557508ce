"""Work in a forked child: it counts only if all of it is done and there was nothing to say."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.forked import forked
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture(autouse=True)
def _two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be a core for a child, on any machine."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})


def killed() -> bool:
    """End as out-of-memory killers let a process end."""
    os.kill(os.getpid(), signal.SIGKILL)
    return True


def logging_a_warning() -> bool:
    """Do the work, with something to say."""
    logging.getLogger("freqtrade_mem0.test").warning("one trade is left out")
    return True


def raising() -> bool:
    """Fail in a way that nobody thought of."""
    raise ZeroDivisionError


def interrupted() -> bool:
    """Get what the keyboard sends to all processes in the foreground."""
    os.kill(os.getpid(), signal.SIGINT)
    return True


@pytest.mark.parametrize(
    ("work", "counts"),
    [
        (lambda: True, True),
        (interrupted, True),
        (lambda: False, False),
        (raising, False),
        (killed, False),
        (logging_a_warning, False),
    ],
)
def test_only_silent_success_counts(
    work: Callable[[], bool], counts: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Everything else is done again by the parent, which then logs it."""
    child = forked(work)
    assert child is not None
    assert child.succeeded(HANG_S) is counts
    assert caplog.records == []


def test_the_child_ends_without_the_parents_exit(tmp_path: Path) -> None:
    """It runs neither what follows in the parent nor its clean-up."""
    mark = tmp_path / "mark"
    try:
        child = forked(lambda: bool(mark.write_text(f"{os.getpid()}")))
    finally:
        with (tmp_path / "ends").open("a") as ends:
            ends.write("x")
    assert child is not None
    assert child.succeeded(HANG_S)
    assert mark.read_text() == f"{child.pid}"
    assert (tmp_path / "ends").read_text() == "x"


def test_a_child_that_hangs_is_killed() -> None:
    """As after a lock that another thread held at the fork."""
    reader, writer = os.pipe()
    child = forked(lambda: bool(os.read(reader, 1)))  # nobody writes
    assert child is not None
    assert not child.succeeded(0.0)
    with pytest.raises(ProcessLookupError):
        os.kill(child.pid, 0)
    os.close(reader)
    os.close(writer)


def test_a_child_whose_outcome_was_taken_by_another_does_not_count() -> None:
    """As where the process ignores what becomes of its children."""
    child = forked(lambda: True)
    assert child is not None
    os.waitpid(child.pid, 0)
    assert not child.succeeded(HANG_S)


def test_without_fork_there_is_no_child(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory is short, where there is one core, and on other systems."""

    def refused() -> int:
        raise OSError(errno.EAGAIN, "no")

    monkeypatch.setattr(os, "fork", refused)
    assert forked(lambda: True) is None
    monkeypatch.undo()
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0})
    assert forked(lambda: True) is None
    monkeypatch.undo()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert forked(lambda: True) is None
