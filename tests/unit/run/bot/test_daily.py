"""The daily report: once a day at its hour, over restarts too, short, in the background."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.run.bot.daily import DailyReport
from freqtrade_mem0.run.bot.reconcile.reconciler import Reconciler
from tests.support.bot_ledger import a_ledger
from tests.support.reported import BOT, NOW, fill
from tests.support.runs import a_bot, a_run
from tests.support.samples import ORIGIN
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

HOUR = timedelta(hours=1)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """Give a memory whose bots report at seven."""
    block = {"mode": "local", "alerts": {"daily_hour": 7}}
    opened = MemoryFolder(Settings.model_validate(block), tmp_path)
    yield opened
    opened.close()


def test_once_a_day_also_over_restarts(memory: MemoryFolder) -> None:
    """Not on the first day, then at the first look after the hour, once, whoever looks."""
    told: list[str] = []
    days_of_looks = []
    for hours in range(72):  # NOW is at eight o'clock
        daily = DailyReport(memory, BOT, told.append)  # a restart before every look
        before = len(told)
        daily.run(NOW + hours * HOUR)
        daily.run(NOW + hours * HOUR)
        if len(told) > before:
            days_of_looks.append(hours)
    assert days_of_looks == [23, 47, 71]
    assert [text[:21] for text in told] == [
        "2024-06-02 07:00 UTC:",
        "2024-06-03 07:00 UTC:",
        "2024-06-04 07:00 UTC:",
    ]


def test_a_report_says_what_a_day_was(memory: MemoryFolder) -> None:
    """Trades and effects of the last day, events, and the finding on the whole life."""
    fill(memory)
    told: list[str] = []
    daily = DailyReport(memory, BOT, told.append)
    daily.run(NOW - timedelta(days=1) + HOUR)
    daily.run(NOW)
    (text,) = told
    assert text.startswith("2024-06-01 08:00 UTC: Sample, dry_run, the last day: 1 trade closed, ")
    assert " raised, " in text
    assert "that changed the profit by " in text
    assert "1 risk event. " in text
    assert "160 trades in 120 days" in text
    assert len(text) < 600


def test_a_quiet_day_is_said_so(memory: MemoryFolder) -> None:
    """A message comes on a day without a trade, too: silence would mean that the bot is gone."""
    told: list[str] = []
    daily = DailyReport(memory, BOT, told.append)
    daily.run(NOW - timedelta(days=1))
    daily.run(NOW)
    (text,) = told
    assert text == (
        "2024-06-01 08:00 UTC: Sample, dry_run, the last day: no trade closed. No closed trade has "
        "a decision of memory yet: there is nothing to judge."
    )


def test_without_an_hour_there_is_none(tmp_path: Path) -> None:
    """It is off by default, and then notes nothing."""
    memory = MemoryFolder(Settings(mode="local"), tmp_path)
    daily = DailyReport(memory, BOT, pytest.fail)
    for days in range(3):
        daily.run(NOW + timedelta(days=days))
    assert memory.marks.all("daily ") == {}
    memory.close()


def test_a_bot_sends_it_through_freqtrades_channel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bot's thread composes it, and its loop hands it to Freqtrade."""
    monkeypatch.setattr(Reconciler, "run", lambda *_: None)  # there is no trade database here
    block = {"mode": "local", "user_id": "me", "sync_interval": 1, "alerts": {"daily_hour": 7}}
    run = a_run(tmp_path, Settings.model_validate(block), database_lasts=True)
    heard: list[str] = []
    bot = a_bot(run, heard.append)
    bot.store.journal.append(a_ledger(3, days=1, origin=ORIGIN, start=NOW))
    now = NOW

    def has(condition: Callable[[], object]) -> bool:
        bot.tick(now)
        return bool(condition())

    assert eventually(lambda: has(lambda: bot.store.marks.all("daily ")))
    now += timedelta(days=1)
    assert eventually(lambda: has(lambda: heard))
    bot.close()
    assert ["the last day: 3 trades closed" in text for text in heard] == [True]
