"""The part of the command `compare` that tries a learned rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from freqtrade_mem0.cli.context import CliConfig
    from freqtrade_mem0.compare.engine.pool import Outcome
    from freqtrade_mem0.records.kinds.rule import Rule

    RunAll = Callable[[Sequence[str], dict[str, Any]], list[Outcome]]


def try_rule(
    arguments: argparse.Namespace, config: CliConfig, run_all: RunAll, trial_name: Sequence[Any]
) -> int:
    """Try the rule that `--rule` names, note what came of it with the rule, and print it.

    Parameters
    ----------
    arguments, config
        Of `compare`.
    run_all
        Runs strategies without and with a rule.
    trial_name
        What makes a comparison a try of its own, beside the rule.
    """
    from freqtrade_mem0.compare.rule_trial import figures, in_words, rule_trial
    from freqtrade_mem0.compare.trials import RULE, fingerprint, with_trials
    from freqtrade_mem0.core_memory.rules import append_step, as_data, find_rule
    from freqtrade_mem0.records.kinds.rule import RuleState

    with opened_memory(arguments) as memory:
        life = find_rule(memory, arguments.rule)
        if life is None:
            raise ConfigError(f"No rule begins with {arguments.rule!r}. 'agent rules' lists them.")
        rule, data = life.rule, as_data(life.rule)
        strategy = _strategy(rule, arguments.strategy)
        (outcome,) = run_all([strategy], data | {"id": rule.id})
        if outcome.runs is None:
            raise ConfigError(f"{strategy}: {outcome.error}")
        without, ruled = outcome.runs
        trial = rule_trial(
            strategy,
            without,
            ruled,
            n_touched=ruled.n_ruled,
            seen_until=rule.seen_until,
            seed=arguments.seed,
            n_periods=arguments.periods,
        )
        stakes = config.settings.model_dump(mode="json", include={"sizing", "risk", "situation"})
        name = RULE + fingerprint(data["when"], rule.scale, rule.veto, stakes, trial_name)
        trial = replace(trial, whole=with_trials(trial.whole, memory.folder, name))
        found, said = figures(trial), in_words(trial)
        step = append_step(
            memory.journal,
            rule,
            RuleState.TRIED,
            datetime.now(UTC),
            by="compare",
            reason=said,
            figures=found,
        )
    if arguments.json:
        ids = {"rule": rule.id, "trial": step.id, "verdict": said}
        print_json(ids | found | {"warnings": list(outcome.warnings)})
    else:
        print_lines(
            f"Rule {rule.id[:8]} of {strategy}: {rule.effect} where "
            f"{' and '.join(rule.conditions)}.",
            said,
            "The trial is kept with the rule: 'freqtrade-mem0 agent rules'.",
        )
    return 0


def check(arguments: argparse.Namespace) -> None:
    """Refuse options that do not go with `--rule`, and a comparison of nothing."""
    if arguments.rule is None and not arguments.strategy:
        raise ConfigError("Name a strategy with -s, or a rule to try with --rule.")
    html: Path | None = arguments.html
    if arguments.rule is not None and html is not None:
        raise ConfigError("--html is for comparisons of strategies; --rule prints what came out.")


def _strategy(rule: Rule, named: Sequence[str] | None) -> str:
    strategy = rule.origin.strategy
    if named and list(dict.fromkeys(named)) != [strategy]:
        raise ConfigError(
            f"The rule {rule.id[:8]} is for {strategy}, not {', '.join(named)}. Leave out -s."
        )
    return strategy
