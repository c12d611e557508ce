"""Show patterns: groups of trades that ended better or worse than the others, beyond chance.

All groups of trades with one or two features in common are compared with the other trades. On
average at most one in twenty of the groups shown is there by chance, however often you look.
Default: the newest run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, moment, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, when
from freqtrade_mem0.records.kinds.pattern import compared_with, in_words
from freqtrade_mem0.words.numbers import counted, percent, probability

if TYPE_CHECKING:
    import argparse

NAME = "patterns"

_MUCH = 0.05
"""With a smaller share of the evidence nothing is said about when the rest may be there."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `patterns`."""
    parser.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="Only patterns found since this time, as in 2026-11-27T12:00, UTC, or 7d for days.",
    )
    parser.add_argument(
        "--all", action="store_true", help="Also a bot's patterns that were withdrawn."
    )
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the patterns in words with numbers."""
    from freqtrade_mem0.views.left_out import left_out_words
    from freqtrade_mem0.views.patterns import patterns

    now = datetime.now(UTC)
    with opened_memory(arguments) as memory:
        facts = patterns(
            memory,
            scope_of(arguments, memory),
            now,
            since=arguments.since and arguments.since(now),
            with_withdrawn=arguments.all,
        )
    if arguments.json:
        print_json(facts)
        return 0
    n_shown = sum(each["is_active"] for each in facts["patterns"])
    print_lines(
        f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}: "
        f"{counted(facts['n_trades'], 'trade')}, as of {when(facts['as_of'])} UTC. "
        f"{left_out_words(facts['n_left_out'])}".rstrip(),
        f"{counted(facts['cells_tried'], 'group')} of trades compared, "
        f"{counted(facts['n_found'], 'pattern')} found"
        f"{'' if n_shown == facts['n_found'] else f', {n_shown} of them as asked'}.",
    )
    for number, each in enumerate(facts["patterns"], 1):
        print_lines("", *_pattern(number, each))
    print_lines("", *_explained(facts))
    return 0


def _pattern(number: int, each: dict[str, Any]) -> list[str]:
    since, before, withdrawn = each["effect_since"], each["effect_before"], each["withdrawn_at"]
    better = "better" if each["is_better"] else "worse"
    others = compared_with(each["conditions"])
    lines = [f"{number}. Trades with {in_words(each['conditions'])} ended {better} than {others}."]
    if withdrawn is not None:
        lines.append(f"   Withdrawn on {withdrawn[:10]}.")
    if since is None:
        lines.append(f"   Since it was found ({each['discovered_at'][:10]}): too few trades yet.")
    else:
        lines.append(
            f"   Since it was found ({each['discovered_at'][:10]}): {_effect(since)} in "
            f"{counted(since['occurrence_count'], 'trade')}; {better} with probability "
            f"{probability(since['sign_probability'])}."
        )
    if before is not None:
        lines.append(
            f"   Before that: {_effect(before)}; reduced, because groups are found when they look "
            "best."
        )
    lines.append(
        f"   All its trades: {each['occurrence_count']}, {each['success_rate']:.0%} with a gain, "
        f"mean {percent(each['avg_profit'])}, "
        f"standard deviation {percent(each['profit_std'], signed=False)}; "
        f"from {each['first_occurrence'][:10]} to {each['last_occurrence'][:10]}."
    )
    lines.append(
        f"   Type: {each['pattern_type']}. Confidence that this was not chance: "
        f"{probability(each['confidence'])}."
    )
    lines.append(f"   {each['action_recommendation']}")
    return lines


def _effect(effect: dict[str, Any]) -> str:
    low, high = percent(effect["low"]), percent(effect["high"])
    return f"{percent(effect['ratio'])} a trade against them (95% interval {low} to {high})"


def _explained(facts: dict[str, Any]) -> list[str]:
    if any(each["is_active"] for each in facts["patterns"]):
        return [
            (
                "Percentages against them are the mean profit of the group minus that of the "
                "trades it is compared with. Patterns say how trades ended, not how the next ones "
                "will; no stake depends on them."
            )
        ]
    if facts["n_found"]:
        return ["Leave out --since and --pair to see all patterns."]
    nearest = facts["nearest"]
    if not facts["cells_tried"]:
        return ["There are too few trades to compare groups: about thirty are needed."]
    lines = ["No group differs by more than chance explains."]
    if nearest is None or nearest["evidence_share"] < _MUCH:
        return [*lines, "None is close. Small differences need hundreds of trades in a group."]
    share, n = nearest["evidence_share"], nearest["occurrence_count"]
    more = counted(round(n * (1.0 / share - 1.0)) + 1, "more such trade")
    return [
        *lines,
        (
            f"The closest are the {counted(n, 'trade')} with {in_words(nearest['conditions'])}, "
            f"with {share:.0%} of the evidence that is needed. If the difference is real and "
            f"stays as it is, about {more} would show it."
        ),
    ]
