"""Bots of one name that use one memory at the same time are told so."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.run.bot.namesakes import MARK, Namesakes
from tests.support.runs import a_bot, a_run
from tests.support.samples import NOTED, ORIGIN
from tests.support.wait import eventually

if TYPE_CHECKING:
    from pathlib import Path

NOW = NOTED.timestamp()


@pytest.fixture
def marks(tmp_path: Path) -> Marks:
    """Return the marks of a new journal."""
    return Marks(Journal(tmp_path))


def a_process(marks: Marks) -> Namesakes:
    """Return a process of a bot that looks once a minute."""
    return Namesakes(marks, ORIGIN, 60.0)


def test_two_bots_of_one_name_with_different_databases_are_told_once(marks: Marks) -> None:
    """The second at its start, the first at its next look."""
    first, second = a_process(marks), a_process(marks)
    assert first.look("one", NOW) == []
    (text,) = second.look("two", NOW + 30)
    assert "Another bot with the name 'bot-1'" in text
    assert "another trade database" in text
    assert len(first.look("one", NOW + 60)) == 1
    assert first.look("one", NOW + 120) == second.look("two", NOW + 90) == []
    assert not first.may_share_database


def test_a_bot_that_is_started_again_is_alone(marks: Marks) -> None:
    """After an orderly end, and after a kill, with the same database; even while the sign lasts."""
    first = a_process(marks)
    first.look("one", NOW)
    first.leave()
    second = a_process(marks)
    assert second.look("one", NOW + 1) == []
    assert not second.may_share_database
    killed, third = second, a_process(marks)
    killed.look("one", NOW + 60)
    for seconds, may_share in ((61, True), (120, True), (241, False)):
        assert third.look("one", NOW + seconds) == []
        assert third.may_share_database is may_share


def test_two_bots_of_one_name_with_copies_of_a_database_are_told(marks: Marks) -> None:
    """As soon as both are seen to run at one time; neither takes trades back meanwhile."""
    first, second = a_process(marks), a_process(marks)
    first.look("one", NOW)
    assert second.look("one", NOW + 30) == []
    assert second.may_share_database
    (text,) = first.look("one", NOW + 60)
    assert "a copy of it" in text
    assert len(second.look("one", NOW + 90)) == 1
    assert first.may_share_database


def test_a_sign_ends(marks: Marks) -> None:
    """Also one of a clock that was far ahead, and what is no sign at all."""
    a_process(marks).look("two", NOW)
    name = f"{MARK}me Sample dry_run bot-1"
    mark = marks.get(name) | {"a": 1, "b": ["two", 1, 2], "c": ["two", "x", NOW, 60], "d": {}}
    marks.set(name, mark)
    assert a_process(marks).look("one", NOW + 181) == []
    a_process(marks).look("two", NOW + 1e6)
    assert a_process(marks).look("one", NOW + 400) == []


def test_others_do_not_matter(marks: Marks) -> None:
    """Each name, strategy and mode has its own mark."""
    a_process(marks).look("one", NOW)
    assert Namesakes(marks, replace(ORIGIN, run_id="bot-2"), 60.0).look("two", NOW) == []


def test_the_owner_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """By an alert and in the log."""
    database = "freqtrade_mem0.host.trade_database"
    monkeypatch.setattr(f"{database}.active_bot_locks", lambda _: [])
    monkeypatch.setattr(f"{database}.release", lambda: None)
    monkeypatch.setattr(f"{database}.database_identity", lambda: "two")
    monkeypatch.setattr(
        "freqtrade_mem0.run.bot.reconcile.reconciler.Reconciler.run", lambda *_: None
    )
    settings = Settings.model_validate({"mode": "local", "user_id": "me"})
    heard: list[str] = []
    bot = a_bot(a_run(tmp_path, settings, database_lasts=True), heard.append, lambda: NOTED)

    def is_told() -> bool:
        bot.tick(NOTED)
        return len(heard) == 1

    try:
        Namesakes(bot.store.marks, bot.run.origin, 60.0).look("one", NOW)
        assert eventually(is_told)
    finally:
        bot.close()
    assert heard[0].startswith("2024-06-01 12:00 UTC: Another bot with the name 'bot-1'")
    assert caplog.text.count("Another bot with the name 'bot-1'") == 1
    assert len(bot.store.marks.get(f"{MARK}me Sample dry_run bot-1")) == 1
