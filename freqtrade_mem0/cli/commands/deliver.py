"""Deliver to Mem0 what waits in the journal.

Bots and backtests do this by themselves; use it after Mem0 was unavailable. Exit code 1 when some
records still wait.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_error, print_json
from freqtrade_mem0.cli.progress import deliver, progress_bar
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.memory_folder import MemoryFolder

NAME = "deliver"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `deliver`."""
    parser.add_argument(
        "--settings-from-stdin",
        action="store_true",
        help='Read the "mem0" block as JSON from the first line of standard input instead of a '
        "config file. Deliver full batches as they come, and the rest after a second line.",
    )
    parser.add_argument(
        "--again",
        action="store_true",
        help="First let everything that this machine recorded wait once more: after 'trust.key' was"
        " set or changed, or where Mem0 was emptied.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Deliver, with a progress bar on a terminal."""
    from freqtrade_mem0.config.settings import DeliverySettings, Settings
    from freqtrade_mem0.memory_folder import MemoryFolder

    is_child: bool = arguments.settings_from_stdin
    if is_child:
        settings = Settings.model_validate_json(sys.stdin.readline())
        memory = MemoryFolder(settings, arguments.userdir)
    else:
        memory = read_config(arguments).memory()
    try:
        if arguments.again:
            memory.outbox.send_again()
        delivered = _deliver_full_batches(memory) if is_child else 0
        waiting = memory.outbox.state().pending
        with progress_bar() as progress:
            # A timeout of 0 leaves delivery to the next process; this is that process.
            timeout_s = memory.settings.delivery.flush_timeout_s
            deliver(memory, progress, timeout_s or DeliverySettings().flush_timeout_s)
        pending = memory.outbox.state().pending
    finally:
        memory.close()
    delivered += waiting - pending
    if arguments.json:
        print_json({"delivered": delivered, "pending": pending})
    elif memory.delivers and (delivered or pending or not is_child):
        rest = f"; {pending} still wait and are delivered later" if pending else ""
        print_error(f"Memory: {counted(delivered, 'record')} remembered in Mem0{rest}.")
    return 1 if pending and memory.delivers else 0


def _deliver_full_batches(memory: MemoryFolder) -> int:
    """Deliver full batches until standard input has a line or ends; return how many records.

    Input ends when the parent process is killed; the caller then delivers the rest as usual.
    """
    from freqtrade_mem0.backends.opening import prepare
    from freqtrade_mem0.delivery.push import delivery_of

    prepare(memory.settings, memory.folder)
    has_ended = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        has_ended.set()

    threading.Thread(target=listen, name="freqtrade-mem0-listen", daemon=True).start()
    return delivery_of(memory).deliver_beside(has_ended.wait)
