"""Forked children read all of Mem0; what they do or fail to do changes no row of the journal."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery import arriving as module
from freqtrade_mem0.delivery import pull as pulling
from freqtrade_mem0.delivery.pull import pull_news, rebuild
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.errors import JournalError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.mapping import to_memory
from tests.support.samples import (
    BACKTEST,
    a_backtest,
    a_note,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freqtrade_mem0.journal.piped import Piped

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")
N_TRADES = 40


@pytest.fixture(autouse=True)
def _as_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process look like one with a thread and two cores, and read in small batches."""
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1})
    monkeypatch.setattr(module, "_BATCH", 10)


@pytest.fixture
def children(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the children that were started, and 0 for each pull without."""
    started: list[int] = []

    def noted(*values: Any) -> Piped | None:
        beside = module.arriving_beside(*values)
        started.extend([0] if beside is None else beside.pids)
        return beside

    monkeypatch.setattr(pulling, "arriving_beside", noted)
    return started


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Callable[[str], MemoryFolder]]:
    """Return what opens a memory of a machine; all share a Mem0 that has records of every kind."""
    settings = Settings.model_validate(
        {
            "user_id": "me",
            "vector_store": {
                "provider": "sqlite",
                "config": {"path": str(tmp_path / "shared.sqlite")},
            },
        }
    )
    opened: list[MemoryFolder] = []

    def on(machine: str) -> MemoryFolder:
        opened.append(MemoryFolder(settings, tmp_path / machine))
        return opened[-1]

    first = on("first")
    first.journal.append([a_trade(n, profit_ratio=0.013 * (n % 7 - 3)) for n in range(N_TRADES)])
    first.journal.append([a_retraction(a_trade(9).id), a_note(1), a_risk_event(1)])
    first.journal.append([a_trade(100, origin=BACKTEST), a_backtest(), a_promotion()])
    assert delivery_of(first).drain(60.0)
    wrong = to_memory(a_trade(200))
    broken = str(wrong.metadata["record"]).replace('"profit_ratio":', '"profit_ration":')
    first.backend.write([replace(wrong, metadata={**wrong.metadata, "record": broken})])
    yield on
    for each in opened:
        each.close()


def rows_of(store: MemoryFolder) -> dict[str, list[Any]]:
    """Return all tables; without the moment at which a record was set aside."""
    with store.journal.connection.read() as sqlite:
        names = [
            name for (name,) in sqlite.execute("SELECT name FROM sqlite_master WHERE type='table'")
        ]
        tables = {name: sqlite.execute(f"SELECT * FROM {name}").fetchall() for name in names}  # noqa: S608
    tables["set_aside"] = [row[:-1] for row in tables["set_aside"]]
    return tables


def without_a_child(store: MemoryFolder, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Rebuild where there is one core."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "sched_getaffinity", lambda _: {0})
        return rebuild(store)


def test_a_child_changes_no_row(
    memory: Callable[[str], MemoryFolder], monkeypatch: pytest.MonkeyPatch, children: list[int]
) -> None:
    """Rows, evidence, words, hashes, and the reasons of what was not taken are the same."""
    alone, beside = memory("alone"), memory("beside")
    in_one = without_a_child(alone, monkeypatch)
    in_two = rebuild(beside)
    assert [each > 0 for each in children] == [False, False, True, True, False]
    assert in_one == in_two
    assert in_two.n_new >= N_TRADES
    assert ["profit_ration" in each for each in in_two.skipped] == [True]
    assert rows_of(alone) == rows_of(beside)


def test_a_killed_child_is_made_up_for(
    memory: Callable[[str], MemoryFolder], monkeypatch: pytest.MonkeyPatch, children: list[int]
) -> None:
    """What it had sent is kept; this process reads the rest, and counts each memory once."""
    alone, beside = memory("alone"), memory("beside")
    expected = without_a_child(alone, monkeypatch)
    arrived, parent, n_batches = module.arrived, os.getpid(), 0

    def killed_at_the_second(*values: Any) -> module.Arrived:
        nonlocal n_batches
        n_batches += 1
        if os.getpid() != parent and n_batches == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return arrived(*values)

    monkeypatch.setattr(module, "arrived", killed_at_the_second)
    assert rebuild(beside) == expected
    assert max(children) > 0
    assert rows_of(alone) == rows_of(beside)


def test_what_a_child_would_log_is_logged_here(
    memory: Callable[[str], MemoryFolder],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its log handlers may not be used; the work is done again."""
    arrived = module.arrived

    def telling(*values: Any) -> module.Arrived:
        logging.getLogger("freqtrade_mem0.test").warning("a batch is read")
        return arrived(*values)

    monkeypatch.setattr(module, "arrived", telling)
    store = memory("other")
    assert rebuild(store).n_read > N_TRADES
    assert "a batch is read" in caplog.text


def test_a_failing_journal_ends_the_children(
    memory: Callable[[str], MemoryFolder], monkeypatch: pytest.MonkeyPatch, children: list[int]
) -> None:
    """A full disk, for example: the error is raised, and nothing goes on behind it."""
    store = memory("other")

    def full(_: Any) -> int:
        raise JournalError("The disk is full.")

    monkeypatch.setattr(store.journal, "adopt_ready", full)
    with pytest.raises(JournalError, match="full"):
        pull_news(store)
    assert len(children) == 2
    for each in children:
        with pytest.raises(ChildProcessError):
            os.waitpid(each, 0)


def test_a_process_with_threads_forks_none(
    memory: Callable[[str], MemoryFolder], monkeypatch: pytest.MonkeyPatch, children: list[int]
) -> None:
    """A lock that another thread holds at that moment would stay locked in the child."""
    monkeypatch.setattr(threading, "active_count", lambda: 2)
    assert pull_news(memory("other")).n_new >= N_TRADES
    assert set(children) == {0}


def test_the_command_reads_beside(
    memory: Callable[[str], MemoryFolder], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its bar on a terminal starts no thread."""
    store = memory("machine")
    file = tmp_path / "config.json"
    file.write_text(
        '{"strategy": "S", "mem0": ' + store.settings.model_dump_json(exclude_defaults=True) + "}"
    )
    main(["rebuild", "-c", str(file), "--userdir", str(tmp_path / "machine")])
    assert "New records: 4" in capsys.readouterr().out
