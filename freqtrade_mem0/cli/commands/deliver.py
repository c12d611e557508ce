"""`deliver`: bring to Mem0 what waits in the journal. A backtest runs this beside itself."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.opening import prepare
from freqtrade_mem0.cli.context import memory_options, output_options, read_config
from freqtrade_mem0.cli.output import print_json
from freqtrade_mem0.cli.progress import deliver, progress_bar
from freqtrade_mem0.config.settings import DeliverySettings, Settings
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.memory_folder import MemoryFolder

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.journal.outbox import OutboxState


def add_commands(commands: Commands) -> None:
    """Add `deliver`."""
    parser = commands.add_parser(
        "deliver",
        help="bring to Mem0 what waits in the journal",
        description="Bring to Mem0 what waits in the journal. Bots and backtests do this by "
        "themselves; use it when Mem0 was away. Exit code 1 when something still waits.",
    )
    parser.add_argument(
        "--settings-from-stdin",
        action="store_true",
        help='Read the "mem0" block as JSON from the first line of standard input instead of a '
        "config file, deliver whole batches as they come, and the rest when a second line comes.",
    )
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Deliver, showing progress where somebody watches."""
    if arguments.settings_from_stdin:
        store = MemoryFolder(Settings.model_validate_json(sys.stdin.readline()), arguments.userdir)
    else:
        named = read_config(arguments)
        store = MemoryFolder(named.settings, named.user_data_dir)
    settings = store.settings.delivery
    try:
        beside = _deliver_beside(store) if arguments.settings_from_stdin else 0
        waiting = store.outbox.state().pending
        with progress_bar() as progress:
            # Whoever leaves delivery to "the next process" means this one.
            longest_s = settings.flush_timeout_s or DeliverySettings().flush_timeout_s
            deliver(store, progress, longest_s)
        state = store.outbox.state()
    finally:
        store.close()
    delivered = beside + waiting - state.pending
    if arguments.json:
        print_json({"delivered": delivered, "pending": state.pending})
    elif store.delivers and (delivered or state.pending or not arguments.settings_from_stdin):
        print(_sentence(delivered, state), file=sys.stderr)  # noqa: T201
    return 1 if state.pending and store.delivers else 0


def _deliver_beside(store: MemoryFolder) -> int:
    """Deliver whole batches until a line comes, or the end of input; return how many records.

    What is left then is delivered like any other rest, also where the process that should have said
    the word was killed.
    """
    prepare(store.settings, store.folder)
    has_ended = threading.Event()

    def listen() -> None:
        sys.stdin.readline()
        has_ended.set()

    threading.Thread(target=listen, name="freqtrade-mem0-listen", daemon=True).start()
    return delivery_of(store).deliver_beside(has_ended.wait)


def _sentence(delivered: int, state: OutboxState) -> str:
    rest = f"; {state.pending} still wait and are delivered later" if state.pending else ""
    return f"Memory: {delivered} records remembered in Mem0{rest}."
