"""`rebuild`: a lost journal from Mem0."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import memory_options, output_options, read_config
from freqtrade_mem0.cli.output import console, print_json
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.delivery.pull import rebuild
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands


def add_commands(commands: Commands) -> None:
    """Add `rebuild`."""
    parser = commands.add_parser(
        "rebuild",
        help="bring a lost journal back from Mem0",
        description="Bring into the journal what Mem0 has and the journal has not. The ledger of "
        "past decisions is not in Mem0; what trades know of their entry is.",
    )
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Rebuild, showing progress where somebody watches."""
    named = read_config(arguments)
    store = MemoryFolder(named.settings, named.user_data_dir)
    if not store.delivers:
        raise ConfigError("Mode 'local' keeps nothing in Mem0: there is nothing to rebuild from.")
    try:
        with progress_bar() as progress:
            task = progress.add_task("Reading Mem0", total=None)
            result = rebuild(store, lambda done: progress.advance(task, done))
    finally:
        store.close()
    if arguments.json:
        print_json({"read": result.n_read, "new": result.n_new, "skipped": result.skipped})
        return 0
    out = console()
    out.print(f"{result.n_read} memories read, {result.n_new} records were news to the journal.")
    for sentence in result.skipped:
        out.print(sentence, markup=False)
    return 0
