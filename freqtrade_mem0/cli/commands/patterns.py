"""Show patterns: groups of trades whose results differ from those of the others, beyond chance.

All groups of trades with one or two features in common are tried. At most one in ten of those shown
is there by chance, however often you look. Default: the newest run.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, moment, scope_options
from freqtrade_mem0.cli.output import print_json, print_lines, when
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
    print_lines(
        f"{facts['strategy']}, {facts['mode']} {facts['run_id'][:12]}: "
        f"{counted(facts['n_trades'], 'trade')}, as of {when(facts['as_of'])} UTC.",
        f"{counted(facts['cells_tried'], 'group')} of trades tried, "
        f"{counted(sum(each['is_active'] for each in facts['patterns']), 'pattern')} shown.",
    )
    for number, each in enumerate(facts["patterns"], 1):
        print_lines("", *_pattern(number, each))
    print_lines("", *_explained(facts))
    return 0


def _pattern(number: int, each: dict[str, Any]) -> list[str]:
    since, before = each["effect_since"], each["effect_before"]
    withdrawn = each["withdrawn_at"]
    lines = [f"{number}. {each['text'].split(': ', 1)[1].split(';')[0]}."]
    if since is None:
        lines.append("   Since it was found: too few trades to say.")
    else:
        lines.append(
            f"   Since it was found: {_effect(since)} in "
            f"{counted(since['occurrence_count'], 'trade')}; the sign is right with "
            f"probability {probability(since['sign_probability'])}."
        )
    if before is not None:
        lines.append(f"   Before: {_effect(before)}, reduced, as it was found because it is large.")
    lines.append(
        f"   {counted(each['occurrence_count'], 'trade')}, {each['success_rate']:.0%} gained, "
        f"mean {percent(each['avg_profit'])}, "
        f"standard deviation {percent(each['profit_std'], signed=False)}; "
        f"first {each['first_occurrence'][:10]}, last {each['last_occurrence'][:10]}."
    )
    lines.append(
        f"   Type {each['pattern_type']}, found {each['discovered_at'][:10]}"
        f"{'' if withdrawn is None else f', withdrawn {withdrawn[:10]}'}, "
        f"confidence {probability(each['confidence'])}."
    )
    lines.append(f"   {each['action_recommendation']}")
    return lines


def _effect(effect: dict[str, Any]) -> str:
    return f"{percent(effect['ratio'])} ({percent(effect['low'])} to {percent(effect['high'])})"


def _explained(facts: dict[str, Any]) -> list[str]:
    if any(each["is_active"] for each in facts["patterns"]):
        return [
            (
                "Effects are differences of mean profits from those of the other trades, with 95% "
                "intervals. Patterns inform you; no stake depends on them."
            )
        ]
    nearest = facts["nearest"]
    if not facts["cells_tried"]:
        return ["There are too few trades to try any group: about thirty are needed."]
    lines = ["Nothing was found that chance does not explain."]
    if nearest is None or nearest["evidence_share"] < _MUCH:
        return [*lines, "No group is near to it. Small effects need hundreds of trades a group."]
    share, n = nearest["evidence_share"], nearest["occurrence_count"]
    which = " and ".join(f"{name} {value}" for name, value in nearest["conditions"].items())
    more = counted(round(n * (1.0 / share - 1.0)) + 1, "more such trade")
    return [
        *lines,
        (
            f"Nearest is {which}, {counted(n, 'trade')}, with {share:.0%} of the evidence that is "
            f"needed. If it is real and goes on as before, about {more} would show it."
        ),
    ]
