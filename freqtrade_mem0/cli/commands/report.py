"""Report on your bots: what happened, what memory did, whether it helped, what is wrong.

Whether memory helped is judged by all closed trades of a bot, whatever --since is: memory's stakes
against the proposed ones, with a 95 % interval and two tests against chance. It says so where there
are too few trades to tell. Without a bot, the newest run is reported on.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import config_named, opened_memory, scope_of, since_of
from freqtrade_mem0.cli.options import memory_options, scope_options, since_option
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when, write_page
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    import argparse

NAME = "report"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `report`."""
    since_option(parser, "What happened since then. Default: 7d for bots, all of a backtest.")
    parser.add_argument(
        "--html",
        metavar="FILE",
        type=Path,
        help="Also write the report as one HTML file, which needs no network and no script.",
    )
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the report."""
    from freqtrade_mem0.report.words import name_of, no_bot, sections, wrong
    from freqtrade_mem0.views.report import report

    now = datetime.now(UTC)
    with opened_memory(arguments) as memory:
        facts = report(memory, scope_of(arguments, memory), now, since_of(arguments))
    named = config_named(arguments)
    for each in facts["wrong"]:
        each["do"] += named
    if arguments.html is not None:
        from freqtrade_mem0.report.page import page

        write_page(arguments.html, page(facts))
    if arguments.json:
        print_json(facts)
        return 0
    print_lines(f"Since {when(facts['since'])} UTC, in {facts['folder']}:")
    if not facts["bots"]:
        print_lines("", no_bot(facts))
    for bot in facts["bots"]:
        print_lines("", name_of(bot))
        for heading, sentences in sections(bot):
            print_lines(f"  {heading}", *(f"    {each}" for each in sentences))
            if heading == "What memory did":
                _print_largest(bot)
    heading, sentences = wrong(facts)
    print_lines("", heading, *(f"  {each}" for each in sentences))
    if arguments.html is not None:
        print_lines("", f"Written to {arguments.html}.")
    return 0


def _print_largest(bot: dict[str, Any]) -> None:
    largest = bot["memory"]["largest"]
    if not largest:
        return
    print_table(
        "Largest effects; 'why ID' explains one",
        ["closed (UTC)", "pair", "side", "exit", "Profit", "x", "Effect", "trade"],
        [
            [
                when(each["close_date"]),
                each["pair"],
                each["side"],
                each["exit_reason"],
                percent(each["profit_ratio"]),
                f"{each['multiplier']:.2f}{'' if each['applied'] else ' shadow'}",
                f"{each['effect']:+,.2f}",
                each["trade_id"][:8],
            ]
            for each in largest
        ],
        optional=["exit", "side"],
    )
