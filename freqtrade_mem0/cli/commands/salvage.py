"""`salvage`: a new journal out of what can still be read of a damaged one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import memory_options, opened_store, output_options
from freqtrade_mem0.cli.output import console, print_json
from freqtrade_mem0.journal.salvage import salvage

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.journal.salvage import Salvaged


def add_commands(commands: Commands) -> None:
    """Add `salvage`."""
    parser = commands.add_parser(
        "salvage",
        help="make a new journal out of a damaged one",
        description="Read what can still be read of a damaged journal and put a new one in its "
        "place. The damaged file is kept under a dated name beside it; nothing is deleted. Stop "
        "the bots that use this memory first. An intact journal is left alone.",
    )
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Salvage, and say what was saved and what was lost."""
    with opened_store(arguments) as store:
        path, delivers = store.journal.path, store.delivers
    done = salvage(path, datetime.now(UTC))
    if arguments.json:
        print_json(
            {"damaged": False}
            if done is None
            else {"damaged": True, **asdict(done), "kept": str(done.kept)}
        )
        return 0
    out = console()
    if done is None:
        out.print(f"{path} is intact; nothing was done.", markup=False)
        return 0
    for sentence in _sentences(done, delivers=delivers):
        out.print(sentence, markup=False)
    return 0


def _sentences(done: Salvaged, *, delivers: bool) -> list[str]:
    saved = done.saved
    said = [
        (
            f"{saved['records']} records and {saved['decisions']} decisions were saved; "
            f"{done.lost_records} records were lost."
        )
    ]
    if "decisions" not in done.complete:
        said.append("Some decisions may be lost: the ledger of the past has gaps then.")
    if done.n_queued and delivers:
        said.append(
            f"Which records Mem0 has could not be read; {done.n_queued} are sent to it once more, "
            "which doubles nothing."
        )
    said.append(f"The damaged file is kept as {done.kept}.")
    if delivers:
        said.append("'freqtrade-mem0 rebuild' brings back what Mem0 has of the rest.")
    said.append("A bot's next start brings back its trades from Freqtrade's database.")
    return said
