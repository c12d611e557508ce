"""List sizing decisions with their reasons and outcomes.

They are in the order of market time.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, scope_of, since_of
from freqtrade_mem0.cli.options import limit_of, listing_options, since_option, where_option
from freqtrade_mem0.cli.output import NOTHING_YET, print_json, print_table, title, when
from freqtrade_mem0.words.numbers import amount, percent

if TYPE_CHECKING:
    import argparse

NAME = "ledger"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `ledger`."""
    parser.add_argument(
        "--all", action="store_true", help="Also decisions whose entry order was never filled."
    )
    where_option(parser)
    since_option(parser, "Only what was decided since then.")
    listing_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print decisions."""
    from freqtrade_mem0.views.decisions import ledger

    with opened_memory(arguments) as memory:
        lines = ledger(
            memory,
            replace(scope_of(arguments, memory), since=since_of(arguments)),
            only_opened=not arguments.all,
            limit=limit_of(arguments),
            where=arguments.where,
        )
    if arguments.json:
        print_json(lines)
        return 0
    print_table(
        f"{title(lines, 'decision', arguments)}; 'why ID' explains one",
        ["decided at (UTC)", "pair", "side", "tag", "Proposed", "x", "Stake", "applied", "Known",
         "Outcome", "strategy, run", "trade"],
        [
            [
                when(line["decided_at"]),
                line["pair"],
                line["side"],
                line["enter_tag"],
                amount(line["proposed_stake"]),
                f"{line['stake'] / line['proposed_stake']:.3f}",
                amount(line["stake"]),
                "yes" if line["applied"] else "shadow",
                f"{line['n_effective']:.1f}",
                "" if line["profit_ratio"] is None else percent(line["profit_ratio"]),
                f"{line['strategy']} {line['run_id'][:8]}",
                (line["trade_id"] or "")[:8],
            ]
            for line in lines
        ],
        optional=["strategy, run", "Known", "side", "applied", "tag"],
        empty=NOTHING_YET,
    )  # fmt: skip
    return 0
