"""Search the memories in Mem0 in your own words.

Meaning and words count; the best match comes first.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import ROWS_IN_TABLES, listing_options
from freqtrade_mem0.cli.output import print_json, print_table, when
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

NAME = "search"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `search`."""
    parser.add_argument("query", nargs="+", help="What to look for.")
    parser.add_argument(
        "--category", choices=[str(category) for category in Category], help="Only this category."
    )
    listing_options(parser, limit_help=f"Show at most N best matches. Default: {ROWS_IN_TABLES}.")


def run(arguments: argparse.Namespace) -> int:
    """Print memories."""
    from freqtrade_mem0.views.records import search

    # Where the locale is not UTF-8, Python leaves other characters of options undecoded.
    query = os.fsencode(" ".join(arguments.query)).decode(errors="replace")
    with opened_memory(arguments) as memory:
        found = search(
            memory,
            query,
            filters={
                "agent_id": arguments.strategy,
                "mode": arguments.mode,
                "run_id": arguments.run_id,
                "pair": arguments.pair,
                "category": arguments.category,
            },
            limit=arguments.limit or ROWS_IN_TABLES,
        )
    if arguments.json:
        print_json(found)
        return 0
    print_table(
        f"{counted(len(found), 'memory', 'memories')} for {query!r}",
        ["Score", "known at (UTC)", "mode", "what", "id"],
        [
            [
                "" if each["score"] is None else f"{each['score']:.2f}",
                when(each["created_at"]),
                str(each["metadata"].get("mode", "")),
                each["text"],
                each["id"][:8],
            ]
            for each in found
        ],
    )
    return 0
