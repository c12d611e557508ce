"""What a bot is measured by, and what is recorded of its drift: once, and never applied unasked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.core_memory.parameters import (
    current_parameters,
    lives,
    parameter_updates,
    take_step,
)
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.lifecycle.drift.look import Drift, DriftMeter
from freqtrade_mem0.lifecycle.drift.records import noted
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import promote
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.kinds.parameter_update import UpdateState
from freqtrade_mem0.records.kinds.risk import RiskEvent
from tests.support.drifting import START_DAY, Process, records
from tests.support.samples import BACKTEST, NOTED, ORIGIN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.records.base import Origin

GOOD, BAD = Process(), Process(mean=-0.012)
METER = DriftMeter()
"""Keeps what it computed of a history that several tests have."""


def day(number: int) -> datetime:
    """Return when a day of the trades begins."""
    return from_ms((START_DAY + number) * 86_400_000)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """An empty memory."""
    folder = MemoryFolder(Settings(mode="local", path=tmp_path, user_id="me"), tmp_path)
    yield folder
    folder.close()


def measured(memory: MemoryFolder, origin: Origin = ORIGIN, at: int = 2_000, **drift: Any) -> Drift:
    """Return the drift of a run on a day."""
    settings = memory.settings.drift.model_copy(update=drift)
    return METER.measure(memory.journal, origin, settings, day(at))


def ids(memory: MemoryFolder) -> set[str]:
    """Return the ids of the bot's trades."""
    return {trade.id for trade in memory.journal.evidence.trades(Scope(run_id="bot-1"))}


def with_backtest(memory: MemoryFolder, *, is_promoted: bool = True, n_days: int = 400) -> None:
    """Remember a backtest, and promote it."""
    memory.journal.append(records(GOOD.trades(n_days, 1), BACKTEST))
    if is_promoted:
        promote(
            memory.journal,
            user_id="me",
            source=BACKTEST,
            strategy="Sample",
            provenance="test",
            now=NOTED,
        )


def look(memory: MemoryFolder, at: int, **drift: Any) -> list[RiskEvent]:
    """Look as a bot does, record what is new, and return the new risk events."""
    settings = memory.settings.drift.model_copy(update=drift)
    earlier = list(memory.journal.of_kind(RiskEvent))
    updates = lives(memory, "me", "Sample")
    found = noted(measured(memory, at=at, **drift), earlier, updates, settings, day(at))
    memory.journal.append([each for new in found for each in (new.event, *new.others)])
    return [new.event for new in found]


def test_a_bot_is_measured_by_its_promoted_backtest(memory: MemoryFolder) -> None:
    """With bands, and triggers calibrated on it."""
    with_backtest(memory)
    memory.journal.append(records(GOOD.trades(60, 2, 400)))
    found = measured(memory, at=460)
    assert found.reference.run_id == BACKTEST.run_id
    assert found.bands is not None
    assert found.age_days == 60
    assert not any(trigger.lacks for trigger in found.triggers)


def test_what_was_not_known_at_its_first_entry_is_left_out(memory: MemoryFolder) -> None:
    """A backtest that goes on into the time of the bot is read up to its start."""
    with_backtest(memory, n_days=800)
    memory.journal.append(records(GOOD.trades(60, 2, 400)))
    history = measured(memory).reference.history
    assert max(trade.close_ms for trade in history.trades) < (START_DAY + 401) * 86_400_000
    assert history.n > 500


def test_without_a_backtest_its_own_first_trades_are_the_measure(memory: MemoryFolder) -> None:
    """The first that are enough; they raise no alarm themselves, and there are no bands."""
    memory.journal.append(records(GOOD.trades(400, 2)))
    found = measured(memory)
    assert found.reference.source.startswith("its own first ")
    assert found.reference.history.n_days >= 90
    assert found.reference.history.n + found.seen.n == len(
        list(memory.journal.evidence.trades(Scope(run_id="bot-1")))
    )
    assert found.bands is None
    assert "no backtest" in found.lacks_bands


def test_too_few_trades_are_no_measure(memory: MemoryFolder) -> None:
    """It is said, and nothing is recorded."""
    memory.journal.append(records(BAD.trades(30, 2)))
    found = measured(memory)
    assert all("too few" in trigger.lacks for trigger in found.triggers)
    assert look(memory, 40) == []


def test_a_named_backtest_counts_instead(memory: MemoryFolder) -> None:
    """By the first characters of its id; one that is not there is named."""
    with_backtest(memory, is_promoted=False)
    memory.journal.append(records(GOOD.trades(60, 2, 400)))
    assert measured(memory, backtest="run").reference.run_id == BACKTEST.run_id
    with pytest.raises(RecordError, match=r"begins with 'other'.*--backtest"):
        measured(memory, backtest="other")


def test_an_excursion_is_recorded_once(memory: MemoryFolder) -> None:
    """At the first look after its alarm, however many looks follow."""
    with_backtest(memory)
    trades = records(BAD.trades(200, 3, 400))
    found: list[str] = []
    for at in range(420, 600, 20):
        memory.journal.append([t for t in trades if t.known_at < day(at)])
        found += [event.event_type for event in look(memory, at)]
    assert sorted(found) == [
        "left_backtest",
        "trigger_drawdown",
        "trigger_poor_results",
        "trigger_win_rate",
    ]


def test_an_alarm_proposes_and_applies_nothing(memory: MemoryFolder) -> None:
    """The proposal names its evidence; the event says that stakes are not damped."""
    with_backtest(memory)
    memory.journal.append(records(BAD.trades(120, 3, 400)))
    events = {event.id: event for event in look(memory, 520)}
    (update,) = parameter_updates(memory, "me")
    assert (update["state"], update["from"], update["to"]) == (
        "proposed",
        {"position_size": 1.0},
        {"position_size": 0.7},
    )
    assert "threshold" in update["reason"]
    assert "false alarms a year" in update["reason"]
    first = events[update["evidence"][0]]
    assert set(update["evidence"][1:]) <= ids(memory)
    assert first.response.startswith("noted; stakes are not damped by it; position_size 0.7 is")
    assert current_parameters(memory, "me", "Sample") == {}


def test_several_triggers_propose_the_same_once(memory: MemoryFolder) -> None:
    """The later ones say so; a proposal that was refused is made again at the next alarm."""
    with_backtest(memory)
    memory.journal.append(records(BAD.trades(120, 3, 400)))
    said = [event.response for event in look(memory, 520) if "trigger" in event.event_type]
    assert sum("agent approve" in each for each in said) == 1
    assert sum("position_size 0.7 is proposed already" in each for each in said) == 2

    (update,) = parameter_updates(memory, "me")
    take_step(memory, update["id"], UpdateState.REJECTED, NOTED)
    memory.journal.append(records(Process(volatility=3.0).trades(60, 4, 520), first=1_000))
    look(memory, 580)
    states = [each["state"] for each in parameter_updates(memory, "me")]
    assert states == ["rejected", "proposed"]


def test_the_owner_may_let_it_be_applied(memory: MemoryFolder) -> None:
    """Then approval and application are recorded with the proposal; it is not applied twice."""
    with_backtest(memory)
    memory.journal.append(records(BAD.trades(120, 3, 400)))
    look(memory, 520, apply=True, propose_factor=0.6)
    assert [each["state"] for each in parameter_updates(memory, "me")] == ["applied"]
    assert current_parameters(memory, "me", "Sample") == {"position_size": 0.6}


def test_more_volatility_proposes_as_much_risk_as_before_and_less_proposes_nothing(
    memory: MemoryFolder,
) -> None:
    """Nothing asks for larger stakes."""
    with_backtest(memory)
    memory.journal.append(records(Process(volatility=1.6).trades(60, 2, 400)))
    look(memory, 460)
    (update,) = [each for each in parameter_updates(memory, "me") if "volatil" in each["reason"]]
    assert 0.5 <= update["to"]["position_size"] < 0.8

    calm = replace(ORIGIN, run_id="bot-2")
    memory.journal.append(records(Process(volatility=0.6).trades(60, 3, 400), calm))
    found = measured(memory, calm, at=460)
    news = {
        new.event.event_type: new for new in noted(found, [], [], memory.settings.drift, day(460))
    }
    assert news["trigger_volatility"].others == ()


def test_a_backtest_gets_the_same_alarms_as_a_bot(memory: MemoryFolder) -> None:
    """Of the same trades after the same history."""
    with_backtest(memory)
    later = replace(BACKTEST, run_id="run-2")
    trades = BAD.trades(120, 2, 400)
    memory.journal.append([*records(trades), *records(trades, later)])
    bot, backtest = measured(memory), measured(memory, later)
    assert bot.alarms == backtest.alarms
    assert len(bot.alarms) >= 3
