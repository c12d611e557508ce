"""The risk events and proposals that follow from drift, each made once."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.insight.drift.history import DAY_MS
from freqtrade_mem0.lifecycle.drift.proposals import Proposals
from freqtrade_mem0.lifecycle.drift.words import alarm_words, left_words
from freqtrade_mem0.records.base import from_ms, record_id
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.risk.damping import NO_DAMPING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from freqtrade_mem0.config.drift_settings import DriftSettings
    from freqtrade_mem0.core_memory.parameters import UpdateLife
    from freqtrade_mem0.insight.drift.triggers import Alarm
    from freqtrade_mem0.lifecycle.drift.look import Drift
    from freqtrade_mem0.records.base import Record

LEFT = "left_backtest"

_LEAST_FACTOR = 0.5


class Noted(NamedTuple):
    """A risk event and what is proposed because of it; both are new."""

    event: RiskEvent
    others: tuple[Record, ...] = ()
    """The proposal, and the steps of its life where the owner lets it be applied."""


def event_type_of(trigger: str) -> str:
    """Return the type of risk event that a trigger's alarm is."""
    return f"trigger_{trigger}"


def noted(
    drift: Drift,
    earlier: Collection[RiskEvent],
    updates: Sequence[UpdateLife],
    settings: DriftSettings,
    now: datetime,
) -> list[Noted]:
    """Return what is to be recorded of a bot now.

    Of the triggers, only excursions that go on: what ended before anybody looked asks for nothing.
    What a trigger of this bot has proposed, and nobody has rejected or reverted, is not proposed
    again.

    Parameters
    ----------
    drift
        Of the bot.
    earlier
        The risk events of the bot that are recorded.
    updates
        The parameter updates of the strategy.
    settings
        What to propose.
    now
        Aware UTC, for `recorded_at`.
    """
    proposals = Proposals(drift.origin, updates, settings, now)
    found = [
        _of_alarm(alarm, drift, proposals, settings, now)
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


def _of_alarm(
    alarm: Alarm, drift: Drift, proposals: Proposals, settings: DriftSettings, now: datetime
) -> Noted:
    trades = [drift.trade(number) for number in range(alarm.began, alarm.at + 1)]
    event = _event(
        drift, event_type_of(alarm.name), from_ms(trades[-1].close_ms), trades[-1].id, now
    )
    event = replace(event, description=alarm_words(alarm, drift))
    factor = settings.propose_factor
    if alarm.name == "volatility":  # as much risk a trade as before
        factor = round(max(math.exp(-alarm.mean), _LEAST_FACTOR), 2)
    else:
        event = replace(event, impact=math.fsum(trade.ratio for trade in trades))
    if factor >= 1.0:
        return Noted(event)
    said, records = proposals.because_of(event, factor, [trade.id for trade in trades])
    return Noted(replace(event, response=f"{event.response}; {said}"), records)


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
