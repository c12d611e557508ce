"""A bot tells its owner once that its trades no longer are as its history."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.alert_settings import AlertSettings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.lifecycle.drift.look import DriftMeter
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import promote
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.kinds.parameter_update import ParameterUpdate
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.run.bot import drift, looks
from freqtrade_mem0.run.bot.alerts.pending import PendingAlerts
from freqtrade_mem0.run.bot.drift import DriftWatch
from freqtrade_mem0.run.bot.reconcile.reconciler import Reconciler
from tests.support.drifting import START_DAY, Process, records
from tests.support.runs import a_bot, a_run
from tests.support.samples import BACKTEST, NOTED, ORIGIN
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

BEFORE = records(Process(has_volatility=False).trades(200, 1), BACKTEST)
BAD = records(Process(mean=-0.02, has_volatility=False).trades(60, 3, 200))


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looks, "_REST", 0.0)


def day(number: int) -> datetime:
    """Return when a day of the trades begins."""
    return from_ms((START_DAY + number) * 86_400_000)


def a_memory(path: Path, **block: Any) -> MemoryFolder:
    """Return the memory of a bot with a promoted backtest, whose trades have become bad."""
    settings = Settings.model_validate({"mode": "local", "user_id": "me", **block})
    memory = MemoryFolder(settings, path)
    memory.journal.append([*BEFORE, *BAD])
    promote(
        memory.journal,
        user_id="me",
        source=BACKTEST,
        strategy="Sample",
        provenance="test",
        now=NOTED,
    )
    return memory


def a_watch(
    memory: MemoryFolder, told: list[RiskEvent], pause: Callable[[], bool] = lambda: True
) -> DriftWatch:
    """Return the watch of a process of the bot."""
    session: Any = SimpleNamespace(origin=ORIGIN, n_closed=0)
    return DriftWatch(session, memory, told.append, pause)


def test_it_is_recorded_and_told_once(tmp_path: Path) -> None:
    """Also over a restart of the bot, and on the days that follow."""
    memory = a_memory(tmp_path)
    told: list[RiskEvent] = []
    for _ in range(2):
        watch = a_watch(memory, told)
        watch.run(day(262))
        watch.run(day(263))
    types = sorted(event.event_type for event in told)
    assert types == [
        "left_backtest",
        "trigger_drawdown",
        "trigger_poor_results",
        "trigger_win_rate",
    ]
    assert sorted(e.event_type for e in memory.journal.of_kind(RiskEvent)) == types
    assert len(list(memory.journal.of_kind(ParameterUpdate))) == 1
    memory.close()


@pytest.mark.parametrize(
    ("block", "n_events", "n_proposals"),
    [
        ({"drift": {"enabled": False}}, 0, 0),
        ({"categories": {"risk_profile": False}}, 0, 0),
        ({"categories": {"learning_insights": False}}, 4, 0),
    ],
)
def test_what_the_owner_does_not_want_is_not_recorded(
    tmp_path: Path, block: dict[str, Any], n_events: int, n_proposals: int
) -> None:
    """By the switch, or by the category."""
    memory = a_memory(tmp_path, **block)
    a_watch(memory, []).run(day(262))
    assert len(list(memory.journal.of_kind(RiskEvent))) == n_events
    assert len(list(memory.journal.of_kind(ParameterUpdate))) == n_proposals
    memory.close()


def test_a_look_ends_when_the_bot_stops(tmp_path: Path) -> None:
    """It is made up for at the next request."""
    memory = a_memory(tmp_path)
    told: list[RiskEvent] = []
    may_go_on = [True, True, False]
    watch = a_watch(memory, told, lambda: may_go_on.pop(0) if may_go_on else True)
    watch.run(day(262))
    assert (may_go_on, told) == ([], [])
    watch.run(day(262))
    assert told != []
    memory.close()


def test_an_idle_bot_is_looked_at_once_a_day(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That nothing is traded any more leaves the bands, too."""
    seen: list[datetime] = []
    monkeypatch.setattr(DriftMeter, "measure", lambda *given: seen.append(given[4]))
    monkeypatch.setattr(drift, "noted", lambda *_: [])
    memory = a_memory(tmp_path)
    watch = a_watch(memory, [])
    for at in (day(262), day(262), day(263)):
        watch.run(at)
    assert seen == [day(262), day(263)]
    memory.close()


def test_what_began_before_the_start_is_told(tmp_path: Path) -> None:
    """It was found now; other risk events of before the start are not told."""
    memory = a_memory(tmp_path)
    told: list[RiskEvent] = []
    sent: list[str] = []
    a_watch(memory, told).run(day(262))
    pending = PendingAlerts(AlertSettings(), since=day(999))

    def send(_: str, text: str) -> bool:
        sent.append(text)
        return True

    sender: Any = SimpleNamespace(event=send)
    for event in told:
        pending.add_risk_event(event)
    pending.send(sender)
    assert sent == []
    for event in told:
        pending.add_risk_event_of_any_age(event)
    pending.send(sender)
    assert len(sent) == 4
    assert any("position_size 0.7 is proposed" in text for text in sent)
    memory.close()


def test_a_running_bot_looks_in_its_background_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its main loop sends the alert."""
    for name in ("active_bot_locks", "database_identity", "release"):
        monkeypatch.setattr(f"freqtrade_mem0.host.trade_database.{name}", lambda *_: [])
    monkeypatch.setattr(Reconciler, "run", lambda *_: None)
    memory = a_memory(tmp_path / "mem0")
    settings = memory.settings.model_copy(update={"path": memory.folder})
    memory.close()
    heard: list[str] = []
    run = a_run(tmp_path, settings, database_lasts=True)
    bot = a_bot(run, heard.append, lambda: day(262))

    def has_heard() -> bool:
        bot.tick(day(262))
        return any("left_backtest" in text for text in heard)

    try:
        assert eventually(has_heard)
        assert len(list(bot.store.journal.of_kind(ParameterUpdate))) == 1
    finally:
        bot.close()
