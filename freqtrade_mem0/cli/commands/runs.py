"""List the runs and bots in memory, with their ids, the newest first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, scope_of, since_of
from freqtrade_mem0.cli.options import limit_of, listing_options, since_option
from freqtrade_mem0.cli.output import print_json, print_table, title
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    import argparse

NAME = "runs"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `runs`."""
    since_option(parser, "Only runs that closed a trade since then.")
    listing_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the runs."""
    from freqtrade_mem0.views.runs import runs

    now = datetime.now(UTC)
    with opened_memory(arguments) as memory:
        scope = scope_of(arguments, memory)
        found = runs(memory, scope, now, since_of(arguments))[: limit_of(arguments)]
    if arguments.json:
        print_json(found)
        return 0
    print_table(
        title(found, "run", arguments),
        ["run id", "strategy", "mode", "Trades", "Won", "Mean", "Profit", "first", "last",
         "now"],
        [
            [
                each["run_id"][:12],
                each["strategy"],
                each["mode"],
                f"{each['n_trades']:,}",
                f"{each['n_won'] / each['n_trades']:.0%}",
                percent(each["mean_profit_ratio"]),
                ""
                if each["profit_abs"] is None
                else f"{each['profit_abs']:+,.2f} {each['stake_currency']}".rstrip(),
                each["first"][:10],
                each["last"][:10],
                "running" if each["is_running"] else "",
            ]
            for each in found
        ],
        optional=["first", "Won", "now", "Mean"],
    )  # fmt: skip
    return 0
