"""Learned rules: conditions on an entry that scale its stake or refuse it, inside the bounds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.records.limits import EARLIEST, LATEST
from freqtrade_mem0.situation import calendar
from freqtrade_mem0.sizing.conditions import Condition
from freqtrade_mem0.sizing.wording import bound_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from freqtrade_mem0.decide.proposal import Proposal
    from freqtrade_mem0.sizing.policy import Wish

RULE = "rule"
"""Name of a rule's reason; its value is the rule's id."""

RISK, ANY = "risk", "any"
"""The name of open risk events in a condition, and the value that stands for all types."""

_NO_EVENTS: Collection[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class LearnedRule:
    """A rule that may act on the entries of a strategy.

    Parameters
    ----------
    id
        Record id, or a name.
    conditions
        All of them must hold.
    scale
        Factor on the stake; None changes nothing.
    veto
        Whether the stake gets the smallest multiplier, at which `sizing.veto_below` refuses it.
    note
        What the rule says.
    since, until
        It acts on decisions strictly after `since` and not after `until`, aware UTC.
    """

    id: str
    conditions: tuple[Condition, ...]
    scale: float | None = None
    veto: bool = False
    note: str = ""
    since: datetime = EARLIEST
    until: datetime = LATEST

    @property
    def reads_risk(self) -> bool:
        """Whether a condition is about open risk events."""
        return any(each.feature == RISK for each in self.conditions)

    def fires(self, entry: Mapping[str, float | str], events: Collection[str]) -> bool:
        """Return whether all conditions hold at an entry with these open risk events."""
        for each in self.conditions:
            holds = _is_open(each, events) if each.feature == RISK else each.holds(entry)
            if not holds:
                return False
        return True

    def in_words(self) -> str:
        """Return the rule's number and what it says."""
        what = "no entry" if self.veto else "a note" if self.scale is None else f"x{self.scale:g}"
        note = f": {self.note}" if self.note else ""
        return f"rule {self.id[:8]}, {what}{note}"


class LearnedRules:
    """The rules of a run, within the bounds of every policy.

    Parameters
    ----------
    rules
        In the order in which they act.
    min_multiplier, max_multiplier
        Bounds of a multiplier.
    """

    def __init__(
        self, rules: Sequence[LearnedRule], min_multiplier: float, max_multiplier: float
    ) -> None:
        self.rules = tuple(rules)
        self._min = min_multiplier
        self._max = max_multiplier
        self._words = {rule.id: rule.in_words() for rule in rules}
        self.reads_risk = any(rule.reads_risk for rule in rules)

    def __bool__(self) -> bool:
        return bool(self.rules)

    def apply(
        self,
        wish: Wish,
        proposal: Proposal,
        open_events: Callable[[datetime, str], Collection[str]],
    ) -> tuple[float, tuple[Reason, ...]]:
        """Return the multiplier after the rules that fire, and a reason for each.

        The reasons' effects add up to the change.

        Parameters
        ----------
        wish
            The policy's.
        proposal
            The entry.
        open_events
            Returns the types of the risk events that are open for a pair.
        """
        reached, reasons, is_vetoed = wish.multiplier, [], False
        moment = proposal.moment
        entry = entry_features(
            moment, proposal.pair, proposal.side, proposal.enter_tag, proposal.features
        )
        events = open_events(moment, proposal.pair) if self.reads_risk else _NO_EVENTS
        for rule in self.rules:
            if not (rule.since < moment <= rule.until and rule.fires(entry, events)):
                continue
            is_vetoed = is_vetoed or rule.veto
            wanted = (
                self._min if is_vetoed else reached * (1.0 if rule.scale is None else rule.scale)
            )
            reasons.append(
                Reason(name=RULE, value=rule.id, text=self._words[rule.id], effect=wanted - reached)
            )
            reached = wanted
        multiplier = max(self._min, min(reached, self._max))
        if multiplier != reached:
            reasons.append(bound_reason(reached, multiplier))
        return multiplier, tuple(reasons)


NO_RULES = LearnedRules((), 1.0, 1.0)


def entry_features(
    moment: datetime, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
) -> dict[str, float | str]:
    """Return what conditions compare: the situation, and pair, side, tag, hour and weekday."""
    moment_ms = to_ms(moment)
    return {
        **situation,
        **calendar(moment_ms),
        "hour": float(moment_ms // 3_600_000 % 24),
        "pair": pair,
        "side": side,
        "enter_tag": enter_tag,
    }


def _is_open(each: Condition, events: Collection[str]) -> bool:
    values = each.value if isinstance(each.value, tuple) else (each.value,)
    is_one = any(value in events or (value == ANY and bool(events)) for value in values)
    return is_one is (each.operator != "!=")
