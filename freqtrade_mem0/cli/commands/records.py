"""List the records of the journal.

They are in the order of arrival.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, scope_of, since_of
from freqtrade_mem0.cli.options import limit_of, listing_options, since_option, where_option
from freqtrade_mem0.cli.output import NOTHING_YET, print_json, print_table, title, when

if TYPE_CHECKING:
    import argparse

NAME = "records"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `records`."""
    from freqtrade_mem0.records.kinds import record_types

    parser.add_argument("--kind", choices=list(record_types()), help="Only this kind of record.")
    parser.add_argument(
        "--set-aside",
        action="store_true",
        help="List what came from outside and could not be taken, and why.",
    )
    where_option(parser)
    since_option(parser, "Only what became known since then.")
    listing_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print records."""
    from freqtrade_mem0.views.records import records

    if arguments.set_aside:
        return _list_set_aside(arguments)
    with opened_memory(arguments) as memory:
        scope = replace(scope_of(arguments, memory), kind=arguments.kind, since=since_of(arguments))
        found = records(memory, scope, limit_of(arguments), arguments.where)
    if arguments.json:
        print_json(found)
        return 0
    print_table(
        title(found, "record", arguments),
        ["known at (UTC)", "kind", "mode", "what", "id"],
        [
            [when(each["known_at"]), each["kind"], each["mode"], each["text"], each["id"][:8]]
            for each in found
        ],
        empty=NOTHING_YET,
    )
    return 0


def _list_set_aside(arguments: argparse.Namespace) -> int:
    from freqtrade_mem0.views.trust import set_aside

    with opened_memory(arguments) as memory:
        found = set_aside(memory)
    limit = limit_of(arguments)
    found = found if limit is None else found[:limit]
    if arguments.json:
        print_json(found)
        return 0
    print_table(
        title(found, "records set aside", arguments),
        ["since (UTC)", "from", "id", "why"],
        [[when(each["since"]), each["source"], each["id"], each["why"]] for each in found],
    )
    return 0
