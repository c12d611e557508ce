"""What triggers propose: a smaller `position_size`, once as long as nobody has refused it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.core_memory.parameters import values_at
from freqtrade_mem0.records.base import Mode, record_id
from freqtrade_mem0.records.kinds.parameter_update import (
    ParameterStep,
    ParameterUpdate,
    UpdateState,
    step_id,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.config.drift_settings import DriftSettings
    from freqtrade_mem0.core_memory.parameters import UpdateLife
    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.kinds.risk import RiskEvent

PARAMETER = "position_size"

_MOST_EVIDENCE = 50
"""Trades that a proposal names: the newest of the excursion."""

_REFUSED = (UpdateState.REJECTED, UpdateState.REVERTED)


class Proposals:
    """The proposals of one bot's triggers.

    Parameters
    ----------
    origin
        The bot.
    updates
        The parameter updates of its strategy, with the steps of their lives.
    settings
        Whether proposals are applied without asking.
    now
        Aware UTC, for `recorded_at`.
    """

    def __init__(
        self,
        origin: Origin,
        updates: Sequence[UpdateLife],
        settings: DriftSettings,
        now: datetime,
    ) -> None:
        self._origin = replace(origin, mode=Mode.MANUAL)
        self._applies = settings.apply
        self._now = now
        held = values_at(updates).get(PARAMETER)
        self._before = float(held) if type(held) in {int, float} and held is not None else 1.0
        self._stand = [
            (life.update, str(life.state))
            for life in updates
            if life.update.origin == self._origin and life.state not in _REFUSED
        ]
        """What a trigger of this bot has proposed and nobody has refused, and its state."""

    def because_of(
        self, event: RiskEvent, factor: float, trades: Sequence[str]
    ) -> tuple[str, tuple[Record, ...]]:
        """Return what is said of a proposal in the event, and the new records.

        Parameters
        ----------
        event
            Of the alarm.
        factor
            On the present value, in (0, 1).
        trades
            Ids of the trades of the excursion, oldest first.
        """
        for update, state in self._stand:
            before, after = (side.get(PARAMETER) for side in (update.before, update.after))
            if isinstance(before, float) and isinstance(after, float) and after <= before * factor:
                return f"{PARAMETER} {after:g} is {state} already", ()
        update = ParameterUpdate(
            id=record_id("parameter_update", event.id),
            origin=self._origin,
            known_at=event.known_at,
            recorded_at=self._now,
            before={PARAMETER: self._before},
            after={PARAMETER: float(f"{self._before * factor:.6g}")},
            reason=f"{event.event_type}: {event.description}",
            evidence=(event.id, *trades[-_MOST_EVIDENCE:]),
        )
        states = (UpdateState.APPROVED, UpdateState.APPLIED) if self._applies else ()
        steps = [
            ParameterStep(
                id=step_id(update.id, state),
                origin=self._origin,
                known_at=event.known_at,
                recorded_at=self._now,
                update_id=update.id,
                state=state,
                reason="mem0.drift.apply is true",
            )
            for state in states
        ]
        said = "applied" if steps else "proposed"
        self._stand.append((update, said))
        todo = "" if steps else f", 'freqtrade-mem0 agent approve {update.id[:8]}'"
        return f"{PARAMETER} {update.after[PARAMETER]:g} is {said}{todo}", (update, *steps)
