"""A rule that an agent, a tool or a person proposes for stakes, and the steps of its life."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, record_id, to_ms
from freqtrade_mem0.records.limits import Instant, Integer, Name, Number, Text

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.memory import Scalar


class RuleState(StrEnum):
    """Where a rule stands."""

    PROPOSED = "proposed"
    TRIED = "tried"
    APPROVED = "approved"
    ACTIVE = "active"
    REJECTED = "rejected"
    RETIRED = "retired"


_BEFORE = (RuleState.TRIED, RuleState.APPROVED, RuleState.REJECTED)
_WHILE = (RuleState.TRIED, RuleState.ACTIVE, RuleState.RETIRED)
NEXT: Mapping[RuleState, tuple[RuleState, ...]] = {
    RuleState.PROPOSED: _BEFORE,
    RuleState.TRIED: _BEFORE,
    RuleState.REJECTED: _BEFORE,
    RuleState.RETIRED: _BEFORE,
    RuleState.APPROVED: _WHILE,
    RuleState.ACTIVE: _WHILE,
}
"""Which steps may follow on a state. A trial of an approved rule leaves it approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(Record):
    """A rule, as data; it has no effect before the owner of this machine approves it.

    It is about entries of `origin.strategy`; `origin.run_id` proposed it.

    Parameters
    ----------
    conditions
        Conditions such as "rsi < 30" that must all hold at an entry.
    note
        What the rule says, in the words of who proposed it.
    scale
        Factor on the stake, inside the configured bounds; None changes no stake.
    veto
        Whether the entry is refused, where the config allows that.
    evidence
        Ids of records that speak for it.
    data_until
        The rule was drawn from what was known up to then; None for when it was proposed.
    """

    kind: ClassVar[str] = "rule"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    ages_as: ClassVar[str | None] = None

    conditions: tuple[Name, ...]
    note: Text = ""
    scale: Number | None = None
    veto: bool = False
    evidence: tuple[Name, ...] = field(default=())
    data_until: Instant | None = None

    @property
    def says_its_id(self) -> bool:
        """Whether it is the rule of its id: what comes from elsewhere can not change a rule."""
        said = rule_id(self.origin, self.conditions, self.scale, veto=self.veto)
        return self.id == said

    @property
    def seen_until(self) -> datetime:
        """Up to when whoever proposed it may have known what happened."""
        return self.known_at if self.data_until is None else min(self.data_until, self.known_at)

    @property
    def effect(self) -> str:
        """What it does, in words: "no entry", "x0.5" or "a note"."""
        if self.veto:
            return "no entry"
        return "a note" if self.scale is None else f"x{self.scale:g}"

    def sentence(self) -> str:
        """Return whose rule it is, when it applies, and what it does."""
        why = f": {self.note}" if self.note else ""
        when = " and ".join(self.conditions)
        who = f"{self.origin.run_id} proposes a rule for {self.origin.strategy}"
        return f"{who}: {self.effect} where {when}{why}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return who proposed it and what it does."""
        keys: dict[str, Scalar] = {"agent": self.origin.run_id, "veto": self.veto}
        return keys if self.scale is None else keys | {"scale": self.scale}


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleStep(Record):
    """A step in the life of a rule. Steps from other machines have no effect here.

    Parameters
    ----------
    rule_id
        Record id of the rule.
    state
        The state that begins.
    by
        Who took it: "owner", "compare", or a bot.
    reason
        Why; "" where nobody said.
    evidence
        Ids of records that speak for it, such as that of the trial.
    figures
        Of a trial: what came out.
    """

    kind: ClassVar[str] = "rule_step"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    ages_as: ClassVar[str | None] = None

    rule_id: Name
    state: RuleState
    by: Name
    reason: Text = ""
    evidence: tuple[Name, ...] = field(default=())
    figures: Mapping[Name, Name | Integer | Number | bool] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return which rule is in which state now."""
        why = f": {self.reason}" if self.reason else ""
        return f"The rule {self.rule_id} is {self.state}, by {self.by}{why}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return the rule and its state."""
        return {"rule_id": self.rule_id, "state": str(self.state)}


def rule_id(origin: Origin, conditions: Iterable[str], scale: float | None, *, veto: bool) -> str:
    """Return the record id of a rule: that of its owner, strategy, conditions and effect."""
    what = json.dumps([sorted(conditions), scale, veto])
    return record_id("rule", origin.user_id, origin.strategy, what)


def rule_step_id(rule_id: str, state: RuleState, moment: datetime, by: str) -> str:
    """Return the record id of a step."""
    return record_id("rule_step", rule_id, state, to_ms(moment), by)
