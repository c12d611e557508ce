"""The part of the command `agent` that is about learned rules."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.options import limit_of
from freqtrade_mem0.cli.output import print_error, print_json, print_lines, print_table, title, when
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import counted
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.core_memory.rules import RuleLife
    from freqtrade_mem0.memory_folder import MemoryFolder

STEPS = {"approve": "approved", "reject": "rejected", "retire": "retired", "revert": "retired"}


def show(memory: MemoryFolder, arguments: argparse.Namespace) -> int:
    """List the rules."""
    from freqtrade_mem0.core_memory.rules import rules

    rows = rules(memory, memory.settings.user_id, limit_of(arguments))
    if arguments.json:
        print_json(rows)
        return 0
    print_table(
        title(rows, "rule", arguments),
        ["id", "proposed at (UTC)", "by", "strategy", "rule", "state", "note"],
        [_cells(row) for row in rows],
        optional=["by", "proposed at (UTC)"],
        empty="Agents propose rules by propose_rule(), people by 'agent propose FILE'; see "
        "docs/how-to/learn-rules.md.",
    )
    for row in rows:
        trials = [step for step in row["steps"] if step["state"] == "tried"]
        if trials:
            print_lines(
                f"{row['id'][:8]}, tried on {when(trials[-1]['at'])}: {trials[-1]['reason']}"
            )
    return 0


def propose(memory: MemoryFolder, arguments: argparse.Namespace) -> int:
    """Add the rules of a file of JSON; nothing is added where one of them is wrong."""
    from freqtrade_mem0.agents.rules import propose_rule, read_proposal
    from freqtrade_mem0.client import Mem0Client
    from freqtrade_mem0.core_memory.rules import reach, rule_lives

    source: str = arguments.id
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        given = json.loads(text)
    except OSError as error:
        raise ConfigError(f"The file {source} can not be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigError(f"The rules in {source} can not be read as JSON: {error}") from error
    rules = given if isinstance(given, list) else [given]
    for each in rules:
        read_proposal(each)
    now, client = datetime.now(UTC), Mem0Client(memory)
    agent = arguments.agent_id or "owner"
    ids = [propose_rule(client, agent, each, now) for each in rules]
    found = {life.rule.id: life.rule for life in rule_lives(memory.journal, client.user_id)}
    reached = {each: reach(memory.journal, found[each]) for each in dict.fromkeys(ids)}
    if arguments.json:
        print_json({"ids": ids, "reach": reached})
        return 0
    for each, facts in reached.items():
        print_lines(f"Proposed: the rule {each}. {_reach(facts, found[each].origin.strategy)}")
    return 0


def _reach(facts: dict[str, Any], strategy: str) -> str:
    if not facts["trades"]:
        return f"No trade of {strategy} is remembered, so nothing shows how often it applies."
    trades = counted(facts["trades"], "remembered trade")
    said = [f"It would have applied to {facts['applies_to']:,} of {trades} of {strategy}."]
    for name, close in facts["unknown"].items():
        hint = f" Did you mean {close[0]}?" if close else ""
        said.append(f"None of them has the feature {name}.{hint}")
    return " ".join(said)


def step(memory: MemoryFolder, life: RuleLife, arguments: argparse.Namespace) -> int:
    """Take a step with a rule."""
    from freqtrade_mem0.core_memory.rules import take_rule_step
    from freqtrade_mem0.records.kinds.rule import RuleState

    if arguments.what not in STEPS:
        raise ConfigError(
            f"{life.rule.id[:8]} is a rule; 'agent {arguments.what}' is for parameters. A rule is "
            "approved, rejected or retired."
        )
    state = RuleState(STEPS[arguments.what])
    now, untried = datetime.now(UTC), arguments.untried
    row = take_rule_step(memory, life, state, now, arguments.reason, untried=untried)
    if arguments.json:
        print_json(row)
    else:
        said = f"{row['effect']} where {' and '.join(row['when'])}"
        print_lines(f"The rule {row['id'][:8]} of {row['strategy']} is {row['state']}: {said}.")
    if state is RuleState.APPROVED:
        if not life.trials:
            print_error("It was not tried: nothing shows what it would have done.")
        elif life.trials[-1].figures.get("sample") == "in":
            print_error(
                "Its trial covers only time that the rule may have been drawn from, so it does not "
                "show that the rule helps."
            )
        if not memory.settings.sizing.veto_below and life.rule.veto:
            print_error(
                '"mem0.sizing.veto_below" is null, so no entry is refused: the rule gives entries '
                "the smallest stake."
            )
    return 0


def _cells(row: dict[str, Any]) -> list[str]:
    rule = visible(f"{row['effect']} where {' and '.join(row['when'])}")
    who = [row["id"][:8], when(row["proposed_at"]), row["agent"], row["strategy"]]
    return [*who, rule, row["state"], row["note"]]
