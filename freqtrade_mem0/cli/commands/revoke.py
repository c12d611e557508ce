"""Take the records of another writer out of evidence on this machine.

A writer is a bot or run, by its run id; 'freqtrade-mem0 stats --json' lists them. Its records stay
in the journal and in Mem0, and no stake depends on them any more, whatever later comes from Mem0.
A running bot learns of it within `sync_interval`. A bot's own trades are not affected: they answer
to its trade database.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, since_of
from freqtrade_mem0.cli.options import memory_options, since_option
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.records.limits import EARLIEST
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

NAME = "revoke"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `revoke`."""
    parser.add_argument("--run-id", required=True, metavar="RUN", help="The writer's whole run id.")
    since_option(parser, "Only what became known at this time or later. Default: everything.")
    parser.add_argument(
        "-s", "--strategy", metavar="NAME", default="", help="Only records of this strategy."
    )
    parser.add_argument("--undo", action="store_true", help="Let the records count again.")
    parser.add_argument("--yes", action="store_true", help="Do it; without, only count.")
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Revoke a writer, or undo that, and print how many trades it is about."""
    from freqtrade_mem0.views.trust import revoke_writer, undo_revocation

    since = max(since_of(arguments) or EARLIEST, EARLIEST)
    with opened_memory(arguments) as memory:
        if arguments.undo:
            facts = undo_revocation(memory, arguments.run_id, arguments.strategy)
        else:
            facts = revoke_writer(
                memory,
                arguments.run_id,
                arguments.strategy,
                since,
                now=datetime.now(UTC),
                is_agreed=arguments.yes,
            )
    if arguments.json:
        print_json(facts)
        return 0
    state = "count again" if arguments.undo else "are no evidence any more"
    if not facts["done"]:
        state = f"would change; add --yes. Then they {state}"
    print_lines(f"{counted(facts['trades'], 'trade')} of {arguments.run_id} {state}.")
    return 0
