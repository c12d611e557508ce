"""Restore a lost journal from Mem0.

The records that Mem0 has and the journal lacks are written into the journal. The ledger of past
decisions is not in Mem0; the situation of a trade at its entry is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    import argparse

NAME = "rebuild"

add_options = memory_options


def run(arguments: argparse.Namespace) -> int:
    """Rebuild the journal, with a progress bar on a terminal."""
    from freqtrade_mem0.delivery.pull import rebuild

    memory = read_config(arguments).memory()
    if not memory.delivers:
        raise ConfigError("Mode 'local' keeps nothing in Mem0: there is nothing to rebuild from.")
    try:
        with progress_bar(by_itself=False) as progress:  # no thread, so that `rebuild` may fork
            task = progress.add_task("Reading Mem0", total=None)

            def told(n_read: int) -> None:
                progress.advance(task, n_read)
                progress.refresh()

            result = rebuild(memory, told)
    finally:
        memory.close()
    if arguments.json:
        print_json({"read": result.n_read, "new": result.n_new, "skipped": result.skipped})
    else:
        read = f"Memories read: {result.n_read:,}. New records: {result.n_new:,}."
        print_lines(read, *result.skipped)
    return 0
