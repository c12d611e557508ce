"""The process beside a backtest: it delivers while that runs, and the rest at its end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.child import Deliverer
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.strategy.process import Process
from tests.support.runs import a_run
from tests.support.samples import a_trade
from tests.support.wait import HANG_S, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SETTINGS = Settings.model_validate({"delivery": {"batch_size": 3}})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryFolder]:
    """Seven trades wait."""
    opened = MemoryFolder(SETTINGS, tmp_path)
    opened.journal.append([a_trade(number) for number in range(1, 8)])
    yield opened
    opened.close()


def test_it_delivers_while_the_run_goes_on(
    store: MemoryFolder, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whole batches at once, what comes later with the end; one sentence counts all of them."""
    deliverer = Deliverer(SETTINGS, tmp_path)
    deliverer.lower_priority()
    assert eventually(lambda: store.outbox.state().pending == 1)
    store.journal.append([a_trade(8)])
    deliverer.finish()

    assert store.outbox.state().pending == 0
    assert store.backend.count(filters={"user_id": a_trade(1).origin.user_id}) == {(): 8}
    assert capfd.readouterr().err == "Memory: 8 records remembered in Mem0.\n"


def test_it_says_nothing_where_nothing_waits(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The same backtest again remembers nothing new."""
    Deliverer(SETTINGS, tmp_path).finish()
    assert capfd.readouterr().err == ""


def test_a_run_that_is_killed_leaves_nothing_waiting(store: MemoryFolder, tmp_path: Path) -> None:
    """The end of its input tells it that the other side is gone."""
    deliverer = Deliverer(SETTINGS, tmp_path)
    assert deliverer._process.stdin is not None
    deliverer._process.stdin.close()

    assert deliverer._process.wait(HANG_S) == 0
    assert store.outbox.state().pending == 0


@pytest.mark.parametrize("block", [{"delivery": {"flush_timeout_s": 0}}, {"mode": "local"}])
def test_where_nobody_waits_there_is_no_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: dict[str, object]
) -> None:
    """Neither beside the run nor at its end; what waits stays for the next process."""
    settings = Settings.model_validate(block)
    store = MemoryFolder(settings, tmp_path)
    store.journal.append([a_trade(1)])
    store.close()

    def no_process(*_: object, **__: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr("freqtrade_mem0.delivery.child.subprocess.Popen", no_process)
    run, process = a_run(tmp_path, settings, RunKind.BACKTEST), Process()
    process._deliver_in_child(run)
    process._finish(run)

    assert store.outbox.state().pending == 1
    store.close()


def test_it_lets_the_run_go_first(tmp_path: Path) -> None:
    """It is nicer than the process that started it."""
    deliverer = Deliverer(SETTINGS, tmp_path)
    deliverer.lower_priority()
    niceness = os.getpriority(os.PRIO_PROCESS, deliverer._process.pid)
    deliverer.finish()

    assert niceness >= os.getpriority(os.PRIO_PROCESS, 0)
