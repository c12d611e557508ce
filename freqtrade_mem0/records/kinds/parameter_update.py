"""A change of parameters that an agent, a tool or a person proposes, and the steps of its life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, record_id
from freqtrade_mem0.records.limits import Integer, Name, Number, Text

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Scalar

Value = Name | Integer | Number | bool
"""A value of a parameter: data, never code."""


class UpdateState(StrEnum):
    """Where a proposed change stands."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    APPLIED = "applied"
    REJECTED = "rejected"
    REVERTED = "reverted"


NEXT: Mapping[UpdateState, tuple[UpdateState, ...]] = {
    UpdateState.PROPOSED: (UpdateState.APPROVED, UpdateState.REJECTED),
    UpdateState.APPROVED: (UpdateState.APPLIED, UpdateState.REVERTED),
    UpdateState.APPLIED: (UpdateState.REVERTED,),
    UpdateState.REJECTED: (),
    UpdateState.REVERTED: (),
}
"""Which states may follow on one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterUpdate(Record):
    """A proposed change; it has no effect before the owner approves it.

    Parameters
    ----------
    before, after
        Values by the parameter's name; a name that is missing in `before` had no value.
    reason
        In the words of who proposed it.
    evidence
        Ids of records that speak for it.
    """

    kind: ClassVar[str] = "parameter_update"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    ages_as: ClassVar[str | None] = None

    before: Mapping[Name, Value]
    after: Mapping[Name, Value]
    reason: Text
    evidence: tuple[Name, ...] = field(default=())

    def sentence(self) -> str:
        """Return what shall change, and why."""
        changes = ", ".join(
            f"{name} from {self.before.get(name, 'nothing')} to {value}"
            for name, value in self.after.items()
        )
        why = f": {self.reason}" if self.reason else ""
        return f"{self.origin.run_id} proposes for {self.origin.strategy} {changes}{why}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return who proposed it, and the new values under names that begin with "to."."""
        return {"agent": self.origin.run_id, **{f"to.{k}": v for k, v in self.after.items()}}


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterStep(Record):
    """A step in the life of a parameter update. Steps from other machines have no effect here.

    Parameters
    ----------
    update_id
        Record id of the update.
    state
        The state that begins.
    reason
        Why; "" where nobody said.
    """

    kind: ClassVar[str] = "parameter_step"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    ages_as: ClassVar[str | None] = None

    update_id: Name
    state: UpdateState
    reason: Text = ""

    def sentence(self) -> str:
        """Return which update is in which state now."""
        why = f": {self.reason}" if self.reason else ""
        return f"The parameter update {self.update_id} is {self.state}{why}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return the update and its state."""
        return {"update_id": self.update_id, "state": str(self.state)}


def step_id(update_id: str, state: UpdateState) -> str:
    """Return the record id of a step."""
    return record_id("parameter_step", update_id, state)
