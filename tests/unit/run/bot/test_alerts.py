"""What an owner is told of: once, not too often, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.run.bot.alerts.throttle import Alerts
from tests.support.in_memory_mem0 import InMemoryMem0
from tests.support.runs import a_bot, a_run
from tests.support.samples import NOTED, a_trade
from tests.support.wait import eventually

if TYPE_CHECKING:
    from pathlib import Path

RECONCILER = "freqtrade_mem0.run.bot.reconcile.reconciler.Reconciler"


@dataclass
class Owner:
    """Hears alerts; the clock is set by hand."""

    heard: list[str] = field(default_factory=list)
    now_s: float = 0.0

    def alerts(self) -> Alerts:
        """Return alerts that come at most every hundred seconds."""
        return Alerts(self.heard.append, 100.0, lambda: self.now_s)


def test_an_event_is_told_once_an_interval() -> None:
    """The answer says whether it was; other kinds are told all the same."""
    owner = Owner()
    alerts = owner.alerts()
    told = []
    for owner.now_s in (0.0, 1.0, 99.9, 100.0, 150.0, 200.0):
        told.append(alerts.event("stop", f"at {owner.now_s:g}"))
    assert told == [True, False, False, True, False, True]
    assert alerts.event("other", "else")
    assert owner.heard == ["at 0", "at 100", "at 200", "else"]


def test_a_trouble_that_stands_is_told_again_after_the_interval() -> None:
    """With what is wrong by then."""
    owner = Owner()
    alerts = owner.alerts()
    for owner.now_s in (0.0, 10.0, 90.0, 110.0):
        alerts.state("mem0", f"away since {owner.now_s:g}", "back")
    assert owner.heard == ["away since 0", "away since 110"]


def test_the_end_of_a_trouble_is_told_once() -> None:
    """And nothing is told where nothing was wrong."""
    owner = Owner()
    alerts = owner.alerts()
    alerts.state("mem0", "", "back")
    assert owner.heard == []
    alerts.state("mem0", "away", "back")
    alerts.state("mem0", "", "back")
    alerts.state("mem0", "", "back")
    assert owner.heard == ["away", "back"]


def test_a_trouble_that_comes_and_goes_is_not_told_each_time() -> None:
    """The interval holds between two troubles of one kind, too; the end of an untold one is not."""
    owner = Owner()
    alerts = owner.alerts()
    for owner.now_s in range(0, 95, 10):
        alerts.state("mem0", "away", "back")
        alerts.state("mem0", "", "back")
    assert owner.heard == ["away", "back"]
    owner.now_s = 100.0
    alerts.state("mem0", "away", "back")
    assert owner.heard == ["away", "back", "away"]


def test_a_trouble_that_was_not_told_yet_is_told_when_it_lasts() -> None:
    """It came back within the interval and stayed: the owner hears of it then."""
    owner = Owner()
    alerts = owner.alerts()
    alerts.state("mem0", "away", "back")
    alerts.state("mem0", "", "back")
    for owner.now_s in (50.0, 99.0, 101.0):
        alerts.state("mem0", "away again", "back")
    assert owner.heard == ["away", "back", "away again"]


@pytest.mark.parametrize("is_away_from_the_start", [True, False])
def test_a_bot_tells_its_owner_that_mem0_is_away_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_away_from_the_start: bool
) -> None:
    """Also one whose Mem0 was never there, so that delivery has not even begun."""
    mem0 = InMemoryMem0()
    mem0.is_away = is_away_from_the_start
    monkeypatch.setattr("freqtrade_mem0.memory_folder.open_backend", lambda *_: mem0)
    monkeypatch.setattr(f"{RECONCILER}.run", lambda *_: None)
    heard: list[str] = []
    pauses = {"retry_s": 0.1, "max_retry_s": 0.1, "breaker_failures": 2}
    settings = Settings.model_validate({"user_id": "me", "sync_interval": 1, "delivery": pauses})
    bot = a_bot(a_run(tmp_path, settings), heard.append, lambda: NOTED)

    def told(words: str) -> bool:
        bot.tick(NOTED)
        return any(words in text for text in heard)

    try:
        if not is_away_from_the_start:
            assert eventually(lambda: len(mem0.yielded) > 0)
            mem0.is_away = True
        bot.submit(a_trade(1))
        assert eventually(lambda: told("Mem0 can not be reached"))
        mem0.is_away = False
        assert eventually(lambda: told("Mem0 is back"))
        assert eventually(lambda: a_trade(1).id in mem0.memories)
    finally:
        bot.close()
    assert len(heard) == 2
