"""The risk events and proposals that follow from drift, each made once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.insight.drift.history import DAY_MS
from freqtrade_mem0.lifecycle.drift.words import alarm_words, left_words
from freqtrade_mem0.records.base import Mode, from_ms, record_id
from freqtrade_mem0.records.kinds.parameter_update import (
    ParameterStep,
    ParameterUpdate,
    UpdateState,
    step_id,
)
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.risk.damping import NO_DAMPING

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from freqtrade_mem0.config.drift_settings import DriftSettings
    from freqtrade_mem0.insight.drift.triggers import Alarm
    from freqtrade_mem0.lifecycle.drift.look import Drift
    from freqtrade_mem0.records.base import Record

PARAMETER = "position_size"
LEFT = "left_backtest"

_LEAST_FACTOR = 0.5
_MOST_EVIDENCE = 50
"""Trades that a proposal names: the newest of the excursion."""


class Noted(NamedTuple):
    """A risk event and what is proposed because of it; both are new."""

    event: RiskEvent
    others: tuple[Record, ...] = ()
    """The proposal, and the steps of its life where the owner lets it be applied."""


def event_type_of(trigger: str) -> str:
    """Return the type of risk event that a trigger's alarm is."""
    return f"trigger_{trigger}"


def noted(
    drift: Drift, earlier: Collection[RiskEvent], settings: DriftSettings, now: datetime
) -> list[Noted]:
    """Return what is to be recorded of a bot now.

    Of the triggers, only excursions that go on: what ended before anybody looked asks for nothing.

    Parameters
    ----------
    drift
        Of the bot.
    earlier
        The risk events of the bot that are recorded.
    settings
        What to propose.
    now
        Aware UTC, for `recorded_at`.
    """
    found = [
        _of_alarm(alarm, drift, settings, now)
        for alarm in drift.alarms
        if alarm.ended is None and not _is_recorded(alarm, drift, earlier)
    ]
    if drift.left is not None:
        at = from_ms(drift.seen.begin_ms + drift.left.age_days * DAY_MS)
        event = _event(drift, LEFT, at, drift.reference.run_id, now)
        if event.id not in {each.id for each in earlier}:
            found.append(Noted(replace(event, description=left_words(drift))))
    return found


def _is_recorded(alarm: Alarm, drift: Drift, earlier: Collection[RiskEvent]) -> bool:
    began = from_ms(drift.trade(alarm.began).close_ms)
    event_type = event_type_of(alarm.name)
    return any(each.event_type == event_type and each.known_at >= began for each in earlier)


def _of_alarm(alarm: Alarm, drift: Drift, settings: DriftSettings, now: datetime) -> Noted:
    at = drift.trade(alarm.at)
    text = alarm_words(alarm, drift)
    event = _event(drift, event_type_of(alarm.name), from_ms(at.close_ms), at.id, now)
    event = replace(event, description=text)
    ratios = [drift.trade(number).ratio for number in range(alarm.began, alarm.at + 1)]
    if alarm.name != "volatility":
        event = replace(event, impact=math.fsum(ratios))
    factor = settings.propose_factor
    if alarm.name == "volatility":  # as much risk a trade as before
        factor = round(max(math.exp(-alarm.mean), _LEAST_FACTOR), 2)
    if factor >= 1.0:
        return Noted(event)
    first = max(alarm.began, alarm.at + 1 - _MOST_EVIDENCE)
    evidence = [drift.trade(number).id for number in range(first, alarm.at + 1)]
    update = ParameterUpdate(
        id=record_id("parameter_update", event.id),
        origin=replace(event.origin, mode=Mode.MANUAL),
        known_at=event.known_at,
        recorded_at=now,
        before={PARAMETER: 1.0},
        after={PARAMETER: factor},
        reason=f"trigger {alarm.name}: {text}",
        evidence=(event.id, *evidence),
    )
    states = (UpdateState.APPROVED, UpdateState.APPLIED) if settings.apply else ()
    steps = [
        ParameterStep(
            id=step_id(update.id, state),
            origin=update.origin,
            known_at=event.known_at,
            recorded_at=now,
            update_id=update.id,
            state=state,
            reason="mem0.drift.apply is true",
        )
        for state in states
    ]
    done = "applied" if steps else f"proposed, 'freqtrade-mem0 agent approve {update.id[:8]}'"
    response = f"{event.response}; {PARAMETER} {factor:g} is {done}"
    return Noted(replace(event, response=response), (update, *steps))


def _event(
    drift: Drift, event_type: str, known_at: datetime, identity: str, now: datetime
) -> RiskEvent:
    """Return an event of the run that has no description yet."""
    origin = drift.origin
    run = (origin.user_id, origin.strategy, origin.mode, origin.run_id)
    return RiskEvent(
        id=record_id("risk_event", event_type, *run, identity),
        origin=origin,
        known_at=known_at,
        recorded_at=now,
        event_type=event_type,
        description="",
        response=NO_DAMPING.response(event_type, ""),
    )
