"""Chores of a bot: in a thread of their own, asked for and ended without waiting."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.journal import connection
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.run import runtime as runtime_module
from freqtrade_mem0.run.bot.background import Background
from freqtrade_mem0.run.bot.reconcile.reconciler import Reconciler
from freqtrade_mem0.sqlite_files import opening as sqlite_files
from tests.support import runs
from tests.support.samples import NOTED, a_trade
from tests.support.wait import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.run.bot.runtime import BotRuntime

END_S = 60.0


def a_bot(folder: Path, *, database_lasts: bool) -> BotRuntime:
    """Return a bot's memory without Mem0."""
    settings = Settings.model_validate({"mode": "local", "user_id": "me"})
    run = runs.a_run(folder, settings, database_lasts=database_lasts)
    return runs.a_bot(run, now=lambda: NOTED)


@pytest.fixture(autouse=True)
def _no_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.active_bot_locks", lambda _: [])
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.release", lambda: None)
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.database_identity", lambda: "one")


def test_work_is_done_once_for_all_that_was_asked_meanwhile() -> None:
    """One more time after the one under way, however often it was asked."""
    begun, go_on, done = threading.Event(), threading.Event(), []

    def work() -> None:
        begun.set()
        assert go_on.wait(END_S)
        done.append(threading.current_thread())

    background = Background(work)
    background.request()
    assert begun.wait(END_S)
    for _ in range(10):
        background.request()
    go_on.set()
    assert eventually(lambda: len(done) == 2)
    assert background.stop(END_S)
    background.request()
    assert len(done) == 2
    assert threading.current_thread() not in done


def test_long_work_is_broken_off() -> None:
    """At its next breath."""
    begun = threading.Event()

    def work() -> None:
        while background.pause():
            begun.set()

    background = Background(work)
    background.request()
    assert begun.wait(END_S)
    assert background.stop(END_S)


def test_what_was_never_asked_has_no_thread() -> None:
    """Nothing is to be waited for."""
    n_threads = threading.active_count()
    assert Background(lambda: None).stop(0.0)
    assert threading.active_count() == n_threads


@pytest.mark.parametrize("database_lasts", [True, False])
def test_reconciliation_stays_out_of_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_lasts: bool
) -> None:
    """But for a database in memory, whose one connection belongs to Freqtrade's loop."""
    threads: list[int] = []
    monkeypatch.setattr(Reconciler, "run", lambda *_: threads.append(threading.get_ident()))
    bot = a_bot(tmp_path, database_lasts=database_lasts)
    try:
        bot.tick(NOTED)
        assert eventually(lambda: len(threads) > 0)
        assert (threads[0] != threading.get_ident()) is database_lasts
    finally:
        bot.close()


def test_a_database_that_hangs_holds_up_neither_loop_nor_shutdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop goes on, and closing gives up waiting."""
    begun, go_on = threading.Event(), threading.Event()

    def hang(*_: object) -> None:
        begun.set()
        go_on.wait(END_S)

    monkeypatch.setattr(Reconciler, "run", hang)
    monkeypatch.setattr(runtime_module, "CLOSE_TIMEOUT_S", 0.05)
    bot = a_bot(tmp_path, database_lasts=True)
    bot.tick(NOTED)
    assert begun.wait(END_S)
    for _ in range(3):
        bot.tick(NOTED)
    bot.close()
    assert not go_on.is_set()
    go_on.set()


def test_a_bot_does_not_start_on_a_memory_that_can_only_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would trade for days and remember nothing."""
    journal = Journal(tmp_path / "mem0")
    journal.append([a_trade(1)])
    journal.close()
    for module in (sqlite_files, connection):
        monkeypatch.setattr(module, "is_writable", lambda _path: False)

    with pytest.raises(ConfigError, match="can not be opened for writing"):
        a_bot(tmp_path, database_lasts=False)


def test_a_chore_that_fails_is_said_once_and_holds_up_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again at each look."""
    tried: list[int] = []

    def fail(*_: object) -> None:
        tried.append(1)
        raise OSError("the disk is gone")

    monkeypatch.setattr(Reconciler, "run", fail)
    bot = a_bot(tmp_path, database_lasts=False)
    try:
        bot.tick(NOTED)
        assert bot._chores is not None
        bot._chores.request(NOTED, all_chores=True)
        bot._chores.request(NOTED, all_chores=False)
    finally:
        bot.close()
    assert len(tried) == 2
    assert caplog.text.count("Memory failed in reconciliation: OSError: the disk is gone.") == 1
