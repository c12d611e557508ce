"""Progress on standard error, where somebody watches: a bar in a log file is noise."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.push import delivery_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from freqtrade_mem0.memory_folder import MemoryFolder


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give a progress display that is gone in the end."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        yield progress


def deliver(store: MemoryFolder, progress: Progress, timeout_s: float | None = None) -> None:
    """Bring to Mem0 what waits in the journal.

    Parameters
    ----------
    store
        The memory.
    progress
        Shows how far it is.
    timeout_s
        For at most so long; None for `delivery.flush_timeout_s`.
    """
    waiting = store.outbox.state().pending
    if not store.delivers or waiting == 0:
        return
    task = progress.add_task("Remembering in Mem0", total=waiting)
    if timeout_s is None:
        timeout_s = store.settings.delivery.flush_timeout_s
    delivery_of(store).drain(timeout_s, lambda done: progress.advance(task, done))
