"""What an owner is told of: once, not too often, and when it is over."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

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

    def alerts(self, earlier: dict[str, Any] | None = None) -> Alerts:
        """Return alerts that come at most every hundred seconds; their times are left out."""
        return Alerts(
            lambda text: self.heard.append(text.rpartition(" UTC: ")[2]),
            100.0,
            lambda: self.now_s,
            earlier,
        )


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


def test_the_interval_holds_over_a_restart() -> None:
    """What is kept of it is JSON."""
    owner = Owner(now_s=1_000.0)
    alerts = owner.alerts()
    alerts.event("stop", "one")
    for owner.now_s, told in ((1_050.0, False), (1_099.0, False), (1_100.0, True)):
        alerts = owner.alerts(json.loads(json.dumps(alerts.to_json())))
        assert alerts.event("stop", "another") is told


def test_the_end_of_a_trouble_is_told_after_a_restart() -> None:
    """Once the new process has met the trouble: at first it knows of none."""
    owner = Owner()
    alerts = owner.alerts()
    alerts.state("mem0", "away", "back")
    alerts = owner.alerts(alerts.to_json())
    for text in ("", "away", ""):
        alerts.state("mem0", text, "back")
    assert owner.heard == ["away", "back"]
    assert owner.alerts(alerts.to_json()).to_json()["standing"] == []


def test_a_clock_that_is_put_back_silences_nothing() -> None:
    """A time of sending that is yet to come says nothing."""
    owner = Owner(now_s=1_000_000.0)
    alerts = owner.alerts()
    alerts.event("stop", "one")
    owner.now_s = 10.0
    assert alerts.event("stop", "another")


@pytest.mark.parametrize("mark", [{"sent": 1}, {"sent": {"stop": "x"}, "standing": [1, {}]}])
def test_a_mark_of_something_else_stops_no_start(mark: dict[str, Any]) -> None:
    """It counts as none."""
    assert Owner().alerts(mark).event("stop", "one")


def test_a_trouble_is_told_with_its_time() -> None:
    """The moment at which it was told, in UTC."""
    heard: list[str] = []
    Alerts(heard.append, 100.0, NOTED.timestamp).state("mem0", "away", "back")
    assert heard == ["2024-06-01 12:00 UTC: away"]


@pytest.mark.parametrize("database_lasts", [True, False])
def test_a_restarted_bot_keeps_the_interval(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database_lasts: bool
) -> None:
    """Also one that was killed: the mark is written with the next look, not at the end."""
    monkeypatch.setattr(f"{RECONCILER}.run", lambda *_: None)
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.active_bot_locks", lambda _: [])
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.release", lambda: None)
    monkeypatch.setattr("freqtrade_mem0.host.trade_database.database_identity", lambda: "one")
    heard: list[str] = []
    settings = Settings.model_validate({"mode": "local", "user_id": "me"})
    run = a_run(tmp_path, settings, database_lasts=database_lasts)
    name, bots = "alerts me Sample dry_run bot-1", []
    for hours, pair in ((0.0, "ETH/USDT"), (0.5, "BTC/USDT"), (1.5, "XRP/USDT")):
        moment = NOTED + timedelta(hours=hours)
        bots.append(a_bot(run, heard.append, lambda moment=moment: moment))  # type: ignore[misc]
        for since_start in (-240.0, 0.0):  # of ten days ago, no news
            event_time = moment + timedelta(hours=since_start)
            # Each of another pair: a pair's jump is one event a day, also over a restart.
            bots[-1].session._risk.ranged(pair, 2.5, event_time)
        bots[-1].tick(moment)
        assert eventually(lambda: bots[-1].store.marks.get(name) != {})
    for bot in bots:
        bot.close()
    assert [text.partition(": ")[0] for text in heard] == [
        "2024-06-01 12:00 UTC",
        "2024-06-01 13:30 UTC",
    ]


@pytest.mark.parametrize("is_away_from_the_start", [True, False])
def test_a_bot_tells_its_owner_that_mem0_is_away_and_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_away_from_the_start: bool
) -> None:
    """Also one whose Mem0 was never there, so that delivery has not even begun."""
    mem0 = InMemoryMem0()
    mem0.is_away = is_away_from_the_start
    monkeypatch.setattr("freqtrade_mem0.backends.opening.open_backend", lambda *_: mem0)
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
        assert eventually(lambda: told("Mem0 can be reached again"))
        assert eventually(lambda: a_trade(1).id in mem0.memories)
    finally:
        bot.close()
    assert len(heard) == 2
