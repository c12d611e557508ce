"""Export records as JSON lines or Parquet, which other tools read and 'import' takes back.

Current records are written, each with its whole content and a hash of it, and signed where the
config has mem0.trust.key. An export is no backup: it has the ledger only with --ledger, and
'import' does not take that back.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory, scope_of
from freqtrade_mem0.cli.options import memory_options, scope_options, where_option
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.progress import progress_bar

if TYPE_CHECKING:
    import argparse

NAME = "export"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `export`."""
    from freqtrade_mem0.records.kinds import record_types

    parser.add_argument(
        "--format",
        choices=["jsonl", "parquet"],
        help="Default: parquet if FILE ends in .parquet, else jsonl.",
    )
    parser.add_argument(
        "-o",
        "--output",
        default="-",
        metavar="FILE",
        help="It is replaced once the new one is whole. JSON lines are packed if it ends in .gz or "
        ".zst. Default: -, standard output.",
    )
    parser.add_argument(
        "--kind",
        action="append",
        choices=list(record_types()),
        help="Only this kind of record; may be given several times.",
    )
    parser.add_argument("--user", metavar="USER", help="Default: mem0.user_id in the config.")
    parser.add_argument(
        "--ledger",
        action="store_true",
        help="Write the sizing decisions after the records; --kind and --where do not apply to "
        "them.",
    )
    where_option(parser)
    scope_options(parser)
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Export, and say how much, unless the records go to standard output."""
    from freqtrade_mem0.archive.export import Wanted, export

    target = None if arguments.output == "-" else Path(arguments.output)
    is_parquet = target is not None and target.suffix == ".parquet"
    form = arguments.format or ("parquet" if is_parquet else "jsonl")
    with (
        opened_memory(arguments) as memory,
        progress_bar(beside_output=target is not None) as progress,
    ):
        scope = scope_of(arguments, memory)
        if arguments.user is not None:
            scope = replace(scope, user_id=arguments.user)
        wanted = Wanted(
            scope=scope,
            kinds=tuple(arguments.kind or ()),
            where=arguments.where,
            ledger=arguments.ledger,
        )
        task = progress.add_task("Exporting", total=sum(memory.journal.counts().values()))
        counts = export(
            memory,
            target,
            wanted,
            datetime.now(UTC),
            form=form,
            progress=lambda n: progress.advance(task, n),
        )
    if target is not None:
        if arguments.json:
            print_json({"path": str(target), "format": form, "counts": counts})
        else:
            found = ", ".join(f"{n:,} {kind.replace('_', ' ')}" for kind, n in counts.items())
            print_lines(f"{target}: {found or 'no record'}.")
    return 0
