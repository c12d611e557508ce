"""Search the memories in Mem0 in your own words.

Meaning and words count; the best match comes first. Conditions can stand among the words, as in
'strategy:MyStrategy AND profit:>10.0', or in --where; without words the newest come first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, since_of
from freqtrade_mem0.cli.options import (
    ROWS_IN_TABLES,
    decoded,
    listing_options,
    since_option,
    where_option,
)
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

NAME = "search"

_WEAK = 0.2
"""Best score of our own embedder below which a search mostly found what shares no meaning."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `search`."""
    parser.add_argument("query", nargs="*", help="What to look for; may be left out with --where.")
    where_option(parser)
    since_option(parser, "Only what became known since then.")
    parser.add_argument(
        "--category", choices=[str(category) for category in Category], help="Only this category."
    )
    listing_options(parser, limit_help=f"Show at most N best matches. Default: {ROWS_IN_TABLES}.")


def run(arguments: argparse.Namespace) -> int:
    """Print memories."""
    from freqtrade_mem0.query.compile import names_a_field
    from freqtrade_mem0.views.records import search

    query, where = decoded(" ".join(arguments.query)), arguments.where
    if names_a_field(query):
        query, where = "", query if where is None else f"({query}) AND ({where})"
    asked = " ".join(each for each in (query, where) if each)
    if (since := since_of(arguments)) is not None:
        recent = f'timestamp:>="{since.isoformat()}"'
        where = recent if where is None else f"({where}) AND {recent}"
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
            where=where,
        )
        settings = memory.settings
        is_ours = settings.embedder is settings.vector_store is settings.reranker is None
        is_ours &= settings.mode == "embedded"
    if arguments.json:
        print_json(found)
        return 0
    print_table(
        f"{counted(len(found), 'memory', 'memories')} for {asked!r}",
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
    scores = [each["score"] for each in found if each["score"] is not None]
    if scores and is_ours and max(scores) < _WEAK:
        print_lines(
            f"These matches are weak: none has a score of {_WEAK:g}. Memories that hold the words "
            "of a question have 0.6 and more. They may be about something else."
        )
    if not found:
        print_lines(
            "Searches look in Mem0, where 'freqtrade-mem0 maintain' prunes old memories. "
            "'freqtrade-mem0 stats' compares it with the journal, and 'freqtrade-mem0 records' "
            "lists the journal."
        )
    return 0
