"""Delete from the journal what is no longer read.

That is: old versions of records that were replaced, and sizing decisions that never became a trade.
The space goes back to the disk. No current record and no decision of a trade is deleted. Bots may
keep running: they wait for milliseconds. If it is interrupted, the next run continues.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.journal.compact import Compacted

NAME = "compact"

_MEGABYTE = 1_000_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `compact`."""
    from freqtrade_mem0.journal.compact import LEAST_KEEP_DAYS

    parser.add_argument(
        "--keep-days",
        type=float,
        default=90.0,
        metavar="DAYS",
        help="Keep a bot's decisions whose entry order was never filled for this long; at least "
        f"{LEAST_KEEP_DAYS}. Default: 90.",
    )
    parser.add_argument("--dry-run", action="store_true", help="Only count what would be deleted.")
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Compact the journal, and print what was deleted."""
    from freqtrade_mem0.journal.compact import compact

    dry_run: bool = arguments.dry_run
    with opened_memory(arguments) as memory:
        path = memory.journal.path
    done = compact(path, datetime.now(UTC), keep_days=arguments.keep_days, dry_run=dry_run)
    if arguments.json:
        print_json({"dry_run": dry_run, **asdict(done)})
    else:
        print_lines(*_sentences(done, dry_run=dry_run))
    return 0


def _sentences(done: Compacted, *, dry_run: bool) -> list[str]:
    deleted = "would be deleted" if dry_run else "were deleted"
    summary = (
        f"{done.records} replaced versions of records and {done.decisions} decisions without a "
        f"trade {deleted}."
    )
    sentences = [summary]
    if done.was_in_use:
        sentences.append(
            "Another process uses this memory and may be a backtest, so decisions of backtests "
            "were kept."
        )
    if dry_run:
        return sentences
    if not done.can_shrink:
        what = (
            "Stop what uses this memory"
            if done.was_in_use
            else "Free two and a half times its size on the disk"
        )
        sentences.append(
            "The file was created by an earlier version and must be rewritten to become smaller. "
            f"{what}, then run this again."
        )
    sentences.append(
        f"The journal had {done.bytes_before / _MEGABYTE:.1f} MB. Now it has "
        f"{done.bytes_after / _MEGABYTE:.1f} MB, of which {done.bytes_free / _MEGABYTE:.1f} MB are "
        "free for new records."
    )
    return sentences
