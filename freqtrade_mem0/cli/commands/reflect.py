"""Let a language model word what statistics found; off unless the config allows it.

Patterns, performance and lessons go to the model of `mem0.llm`. What it answers is kept as a note
of origin `llm` that cites records, or discarded if it cites an id or says a number that it was not
given. A day has a budget of calls and tokens (`mem0.reflection`). No stake depends on it; run it by
hand or by cron.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

NAME = "reflect"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `reflect`."""
    parser.add_argument("-s", "--strategy", metavar="NAME", help="Only findings of this strategy.")
    parser.add_argument(
        "--dry-run", action="store_true", help="Show what would be sent, and send nothing."
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Word the findings once."""
    from freqtrade_mem0.agents.reflection.reflect import reflect
    from freqtrade_mem0.client import Mem0Client

    with opened_memory(arguments) as memory:
        facts = reflect(
            Mem0Client(memory),
            datetime.now(UTC),
            strategy=arguments.strategy,
            dry_run=arguments.dry_run,
        )
    if arguments.json:
        print_json(facts)
        return 0
    given, today = counted(facts["findings"], "finding"), facts["today"]
    if arguments.dry_run:
        print_lines(f"{given} would be sent:", *(each["content"] for each in facts["messages"]))
        return 0
    if facts["discarded"]:
        print_lines(f"The answer to {given} was discarded: {facts['discarded']}.")
    else:
        print_lines(f"{given}, {counted(len(facts['kept']), 'note')} of the model:")
        print_lines(*(f"- {each['text']} [{', '.join(each['cites'])}]" for each in facts["kept"]))
    print_lines(
        f"Today: {counted(today['calls'], 'call')}, at most {today['tokens']:,} tokens, "
        f"{counted(sum(today['discarded'].values()), 'answer')} discarded."
    )
    return 0
