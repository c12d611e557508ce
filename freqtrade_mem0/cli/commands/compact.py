"""`compact`: take out of the journal what nobody reads any more."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import memory_options, opened_store, output_options
from freqtrade_mem0.cli.output import console, print_json
from freqtrade_mem0.journal.compact import LEAST_KEEP_DAYS, compact

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.journal.compact import Compacted

_MEGABYTE = 1_000_000


def add_commands(commands: Commands) -> None:
    """Add `compact`."""
    parser = commands.add_parser(
        "compact",
        help="take out of the journal what nobody reads any more",
        description="Take versions of records that later ones replaced, and sizing decisions that "
        "never became a trade, out of the journal, and give the space back to the disk. No record "
        "is lost, no trade loses its decision. Bots may go on running: they wait for milliseconds. "
        "Interrupted, it goes on at the next time.",
    )
    parser.add_argument(
        "--keep-days",
        type=float,
        default=90.0,
        metavar="DAYS",
        help="Keep bots' decisions whose order was never filled for so long; at least "
        f"{LEAST_KEEP_DAYS}. Default: 90.",
    )
    parser.add_argument("--dry-run", action="store_true", help="Only count what would be taken.")
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compact, and say what it brought."""
    with opened_store(arguments) as store:
        path = store.journal.path
    done = compact(
        path, datetime.now(UTC), keep_days=arguments.keep_days, dry_run=arguments.dry_run
    )
    if arguments.json:
        print_json({"dry_run": arguments.dry_run, **asdict(done)})
        return 0
    out = console()
    for sentence in _sentences(done, dry_run=arguments.dry_run):
        out.print(sentence, markup=False)
    return 0


def _sentences(done: Compacted, *, dry_run: bool) -> list[str]:
    taken = "would be taken" if dry_run else "were taken"
    said = [
        (
            f"{done.records} replaced versions of records and {done.decisions} decisions without a "
            f"trade {taken} out."
        )
    ]
    if done.was_in_use:
        said.append(
            "Another process uses this memory, so decisions of backtests stay, as one of them may "
            "be running."
        )
    if not dry_run:
        if not done.can_shrink:
            what = (
                "stop what uses this memory"
                if done.was_in_use
                else "free two and a half times its size on the disk"
            )
            said.append(
                "The file was made by an earlier version and can not be made smaller before it is "
                f"written anew: {what}, and run this again."
            )
        said.append(
            f"The journal had {done.bytes_before / _MEGABYTE:.1f} MB, now it has "
            f"{done.bytes_after / _MEGABYTE:.1f} MB, {done.bytes_free / _MEGABYTE:.1f} MB of them "
            "free for what comes next."
        )
    return said
