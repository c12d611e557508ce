"""Proposed changes of parameters, the steps of their lives, and the values that hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.kinds.parameter_update import (
    NEXT,
    ParameterStep,
    ParameterUpdate,
    UpdateState,
    step_id,
)
from freqtrade_mem0.words.plain import Facts, iso

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder


@dataclass(slots=True)
class UpdateLife:
    """An update and the steps that were taken with it on this machine."""

    update: ParameterUpdate
    steps: list[ParameterStep] = field(default_factory=list)

    @property
    def state(self) -> UpdateState:
        """Where it stands."""
        return self.steps[-1].state if self.steps else UpdateState.PROPOSED

    def add(self, step: ParameterStep) -> None:
        """Take a step, if it may follow on the last one."""
        if step.state in NEXT[self.state]:
            self.steps.append(step)


def lives(memory: MemoryFolder, user_id: str, strategy: str | None = None) -> list[UpdateLife]:
    """Return the updates of an owner in the order in which they were proposed."""
    scope = Scope(user_id=user_id, strategy=strategy)
    found = {each.id: UpdateLife(each) for each in memory.journal.of_kind(ParameterUpdate, scope)}
    steps = Scope(user_id=user_id, strategy=strategy, kind=ParameterStep.kind)
    from_others = memory.journal.adopted(steps)
    for seq, step in memory.journal.records(steps):
        if isinstance(step, ParameterStep) and seq not in from_others and step.update_id in found:
            found[step.update_id].add(step)
    return sorted(found.values(), key=lambda life: (life.update.known_at, life.update.id))


def parameter_updates(
    memory: MemoryFolder, user_id: str, strategy: str | None = None, limit: int | None = None
) -> list[Facts]:
    """Return proposed changes and where they stand; the newest `limit`, oldest first.

    Each has `id`, `strategy`, `agent`, `state`, `from`, `to`, `reason`, `evidence`, `proposed_at`,
    and `steps` with `state`, `at` and `reason`.
    """
    rows = [
        {
            "id": life.update.id,
            "strategy": life.update.origin.strategy,
            "agent": life.update.origin.run_id,
            "state": str(life.state),
            "from": dict(life.update.before),
            "to": dict(life.update.after),
            "reason": life.update.reason,
            "evidence": list(life.update.evidence),
            "proposed_at": iso(life.update.known_at),
            "steps": [
                {"state": str(step.state), "at": iso(step.known_at), "reason": step.reason}
                for step in life.steps
            ],
        }
        for life in lives(memory, user_id, strategy)
    ]
    return rows if limit is None else rows[-limit:]


def current_parameters(memory: MemoryFolder, user_id: str, strategy: str) -> Facts:
    """Return the values that hold for a strategy now; see `values_at`."""
    return values_at(lives(memory, user_id, strategy))


def values_at(found: Sequence[UpdateLife], moment: datetime | None = None) -> Facts:
    """Return the values that approved updates give, as of the end of a moment, or of all time.

    Of several updates of one parameter, the one approved last counts. Where each is reverted, the
    value is that before the first.
    """
    values: Facts = {}
    for life in sorted(found, key=lambda life: [step.known_at for step in life.steps]):
        taken = [step for step in life.steps if moment is None or step.known_at <= moment]
        if not taken or taken[0].state is not UpdateState.APPROVED:
            continue
        values = {**life.update.before, **values}
        if taken[-1].state is not UpdateState.REVERTED:
            values |= life.update.after
    return values


def take_step(
    memory: MemoryFolder, wanted: str, state: UpdateState, now: datetime, reason: str = ""
) -> Facts:
    """Approve, reject, apply or revert an update; return it.

    Parameters
    ----------
    memory
        The memory; the update is its owner's.
    wanted
        The update's id, or its first characters.
    state
        The state that begins. Taking the same step again changes nothing.
    now
        Aware UTC.
    reason
        Why.

    Raises
    ------
    RecordError
        There is no such update, several begin so, or the step may not follow.
    """
    owner = memory.settings.user_id
    found = [life for life in lives(memory, owner) if wanted and life.update.id.startswith(wanted)]
    if len(found) != 1:
        raise RecordError(
            f"{len(found)} parameter updates and no rule begin with {wanted!r}. 'freqtrade-mem0 "
            "agent parameters' and 'freqtrade-mem0 agent rules' list their ids."
        )
    (life,) = found
    if life.state is not state:
        if state not in NEXT[life.state]:
            allowed = " or ".join(NEXT[life.state]) or "nothing else"
            raise RecordError(
                f"The parameter update {life.update.id[:8]} is {life.state}, so it can not be "
                f"{state}; it can be {allowed}."
            )
        step = ParameterStep(
            id=step_id(life.update.id, state),
            origin=life.update.origin,
            known_at=now,
            recorded_at=now,
            update_id=life.update.id,
            state=state,
            reason=reason,
        )
        memory.journal.append([step])
    rows = parameter_updates(memory, owner)
    return next(row for row in rows if row["id"] == life.update.id)
