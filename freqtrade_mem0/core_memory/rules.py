"""Learned rules: the steps of their lives on this machine, and which of them act on stakes."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.learned import RISK, entry_features
from freqtrade_mem0.decide.rule_form import read_rule
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.kinds.rule import NEXT, Rule, RuleState, RuleStep, rule_step_id
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.limits import LATEST
from freqtrade_mem0.words.plain import Facts, iso

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from freqtrade_mem0.decide.learned import LearnedRule
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin

logger = logging.getLogger(__name__)

MOST_ACTIVE = 100
"""Approved rules of one strategy at the same time."""

_ACTS = (RuleState.APPROVED, RuleState.ACTIVE)
_OWNER = "owner"


@dataclass(slots=True)
class RuleLife:
    """A rule and the steps that were taken with it on this machine."""

    rule: Rule
    steps: list[RuleStep] = field(default_factory=list)
    state: RuleState = RuleState.PROPOSED

    @property
    def acts(self) -> bool:
        """Whether it acts on stakes now."""
        return self.state in _ACTS

    @property
    def trials(self) -> list[RuleStep]:
        """Its trials, oldest first."""
        return [step for step in self.steps if step.state is RuleState.TRIED]

    def add(self, step: RuleStep) -> None:
        """Take a step, if it may follow on the last one."""
        if step.state not in NEXT[self.state]:
            return
        self.steps.append(step)
        if step.state is not RuleState.TRIED or not (self.acts or self.state is RuleState.REJECTED):
            self.state = step.state

    def spans(self) -> Iterator[tuple[datetime, datetime]]:
        """Yield from when to when it acted, or acts; an open end is `LATEST`."""
        since = None
        for step in self.steps:
            if step.state is RuleState.APPROVED:
                since = step.known_at
            elif step.state is RuleState.RETIRED and since is not None:
                yield since, step.known_at
                since = None
        if since is not None:
            yield since, LATEST


def rule_lives(journal: Journal, user_id: str, strategy: str | None = None) -> list[RuleLife]:
    """Return the rules of an owner in the order in which they were proposed."""
    scope = Scope(user_id=user_id, strategy=strategy)
    rules_there = journal.of_kind(Rule, scope)
    found = {each.id: RuleLife(each) for each in rules_there if each.says_its_id}
    if not found:
        return []
    steps = replace(scope, kind=RuleStep.kind)
    from_others = journal.adopted(steps)
    for seq, step in journal.records(steps):
        if isinstance(step, RuleStep) and seq not in from_others and step.rule_id in found:
            found[step.rule_id].add(step)
    return sorted(found.values(), key=lambda life: (life.rule.known_at, life.rule.id))


def acting_rules(
    journal: Journal, origin: Origin, since: datetime | None = None
) -> list[LearnedRule]:
    """Return the rules that were approved for a strategy, each with when it acts.

    Parameters
    ----------
    journal
        Has the rules.
    origin
        Owner and strategy.
    since
        Leave out what was retired before; None for all that ever acted.
    """
    found = []
    for life in rule_lives(journal, origin.user_id, origin.strategy):
        spans = [each for each in life.spans() if since is None or each[1] > since]
        rule = read(life.rule) if spans else None
        if rule is not None:
            found += [replace(rule, since=start, until=end) for start, end in spans]
    return found


def read(rule: Rule) -> LearnedRule | None:
    """Return a rule as it acts; None, and a line in the log, where this version can not read it."""
    try:
        return read_rule(as_data(rule), rule.id)
    except RecordError as error:
        logger.warning("The rule %s has no effect: %s", rule.id, error)
        return None


def as_data(rule: Rule) -> Facts:
    """Return what a rule says in the form in which it is proposed."""
    data: Facts = {"when": list(rule.conditions), "note": rule.note}
    if rule.scale is not None:
        data["scale"] = rule.scale
    return data | ({"veto": True} if rule.veto else {})


def rule_facts(life: RuleLife) -> Facts:
    """Return a rule, where it stands, and its steps, as plain values."""
    rule = life.rule
    return {
        "id": rule.id,
        "strategy": rule.origin.strategy,
        "agent": rule.origin.run_id,
        "state": str(life.state),
        **as_data(rule),
        "scale": rule.scale,
        "veto": rule.veto,
        "effect": rule.effect,
        "evidence": list(rule.evidence),
        "data_until": iso(rule.data_until),
        "proposed_at": iso(rule.known_at),
        "steps": [
            {
                "state": str(step.state),
                "at": iso(step.known_at),
                "by": step.by,
                "reason": step.reason,
                "evidence": list(step.evidence),
                "figures": dict(step.figures),
            }
            for step in life.steps
        ],
    }


def rules(memory: MemoryFolder, user_id: str, limit: int | None = None) -> list[Facts]:
    """Return the rules of an owner, oldest first, the newest `limit` of them; see `rule_facts`."""
    rows = [rule_facts(life) for life in rule_lives(memory.journal, user_id)]
    return rows if limit is None else rows[-limit:]


def reach(journal: Journal, rule: Rule) -> Facts:
    """Return of how many remembered trades a rule would have applied to the entry.

    `trades` of the strategy, `applies_to`, and `unknown`: features that none of them has.
    """
    read_back = read(rule)
    scope = Scope(user_id=rule.origin.user_id, strategy=rule.origin.strategy, kind=TradeRecord.kind)
    n_trades = n_met = 0
    names: set[str] = set()
    for trade in journal.evidence.trades(scope):
        entry = entry_features(
            trade.open_date, trade.pair, trade.side, trade.enter_tag, trade.situation
        )
        names |= entry.keys()
        n_trades += 1
        n_met += read_back is not None and read_back.fires(entry, ())
    asked = {each.feature for each in read_back.conditions} if read_back else set()
    unknown = sorted(asked - names - {RISK}) if n_trades else []
    close = {name: get_close_matches(name, names, n=1) for name in unknown}
    return {"trades": n_trades, "applies_to": n_met, "unknown": close}


def find_rule(memory: MemoryFolder, wanted: str) -> RuleLife | None:
    """Return the one rule of the memory's owner whose id begins so; None where there is none.

    Raises
    ------
    RecordError
        Several begin so.
    """
    lives = rule_lives(memory.journal, memory.settings.user_id)
    found = [life for life in lives if wanted and life.rule.id.startswith(wanted)]
    if len(found) > 1:
        raise RecordError(f"{len(found)} rules begin with {wanted!r}. Write more of the id.")
    return found[0] if found else None


def take_rule_step(
    memory: MemoryFolder,
    life: RuleLife,
    state: RuleState,
    now: datetime,
    reason: str = "",
    *,
    untried: bool = False,
) -> Facts:
    """Approve, reject or retire a rule, as the owner; return it as `rule_facts`.

    Taking the same step again changes nothing.

    Raises
    ------
    RecordError
        The step may not follow; or a rule is approved that was not tried, without `untried`.
    """
    short = life.rule.id[:8]
    is_done = life.state is state or (state is RuleState.APPROVED and life.acts)
    if is_done:
        return rule_facts(life)
    if state not in NEXT[life.state]:
        allowed = " or ".join(each for each in NEXT[life.state] if each is not RuleState.ACTIVE)
        raise RecordError(
            f"The rule {short} is {life.state}, so it can not be {state}; it can be {allowed}."
        )
    evidence: tuple[str, ...] = ()
    if state is RuleState.APPROVED:
        if not life.trials and not untried:
            raise RecordError(
                f"The rule {short} was not tried. 'freqtrade-mem0 compare --rule {short}' tries it "
                "in a backtest. To approve it all the same, add --untried."
            )
        if read(life.rule) is None:
            raise RecordError(f"The rule {short} can not be read by this version.")
        others = rule_lives(memory.journal, memory.settings.user_id, life.rule.origin.strategy)
        if sum(other.acts for other in others) >= MOST_ACTIVE:
            raise RecordError(
                f"{MOST_ACTIVE} rules of {life.rule.origin.strategy} are approved, the most there "
                "can be. Retire one first."
            )
        evidence = tuple(step.id for step in life.trials[-1:])
        reason = reason if evidence else " ".join(filter(None, ["not tried.", reason]))
    append_step(memory.journal, life.rule, state, now, by=_OWNER, reason=reason, evidence=evidence)
    return next(
        rule_facts(each)
        for each in rule_lives(memory.journal, memory.settings.user_id)
        if each.rule.id == life.rule.id
    )


def append_step(
    journal: Journal,
    rule: Rule,
    state: RuleState,
    now: datetime,
    *,
    by: str,
    reason: str = "",
    evidence: tuple[str, ...] = (),
    figures: Facts | None = None,
) -> RuleStep:
    """Write a step into the journal; return it."""
    step = RuleStep(
        id=rule_step_id(rule.id, state, now, by),
        origin=rule.origin,
        known_at=now,
        recorded_at=now,
        rule_id=rule.id,
        state=state,
        by=by,
        reason=reason,
        evidence=evidence,
        figures=figures or {},
    )
    journal.append([step])
    return step


def note_active(journal: Journal, origin: Origin, now: datetime) -> int:
    """Note which approved rules a bot has taken up; return how many are new to it."""
    n_new = 0
    for life in rule_lives(journal, origin.user_id, origin.strategy):
        last = max(
            (n for n, s in enumerate(life.steps) if s.state is RuleState.APPROVED), default=0
        )
        known_by = {step.by for step in life.steps[last:] if step.state is RuleState.ACTIVE}
        if life.acts and origin.run_id not in known_by:
            append_step(journal, life.rule, RuleState.ACTIVE, now, by=origin.run_id)
            n_new += 1
    return n_new
