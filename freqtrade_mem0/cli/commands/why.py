"""`why`: explain the stake of a trade, or the stake that an entry would get now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.cli.options import memory_options, scope_options

if TYPE_CHECKING:
    import argparse

NAME = "why"
HELP = "explain the stake of a trade, or of an entry now"
DESCRIPTION = (
    "Explain the stake of a trade in words and numbers. With --now, show what memory would make of "
    "the stake of an entry now, with the present settings."
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `why`."""
    from freqtrade_mem0.cli import now

    parser.add_argument(
        "trade",
        nargs="?",
        help="Id of a trade or decision, or its first characters; or a pair, for its last trade. "
        "Default: the last trade.",
    )
    now.add_options(parser)
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the explanation of one decision."""
    from freqtrade_mem0.cli import now
    from freqtrade_mem0.cli.context import opened_memory, scope_of
    from freqtrade_mem0.cli.output import print_json, print_lines
    from freqtrade_mem0.views.decisions import why

    now.check(arguments)
    if arguments.now is not None:
        return now.run(arguments)
    wanted: str | None = arguments.trade
    if wanted is not None and "/" in wanted:
        arguments.pair, wanted = wanted, None
    with opened_memory(arguments) as memory:
        facts = why(memory, scope_of(arguments, memory), wanted)
    if arguments.json:
        print_json(facts)
    else:
        print_lines(facts["text"])
    return 0
