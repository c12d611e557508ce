"""Progress bars on standard error, only on a terminal: in a log file a bar is noise."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress, Task

    from freqtrade_mem0.memory_folder import MemoryFolder


@contextmanager
def progress_bar(*, by_itself: bool = True, beside_output: bool = True) -> Iterator[Progress]:
    """Give a progress display that disappears at the end.

    Parameters
    ----------
    by_itself
        A thread draws it; without, it is drawn at each `refresh`.
    beside_output
        False where the command writes to standard output meanwhile: if that is a terminal, a bar
        would be among the lines.
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TimeRemainingColumn
    from rich.text import Text

    class Description(TaskProgressColumn):
        """What is done: a file's name, for example, which is no markup."""

        def render(self, task: Task) -> Text:
            return Text(visible(task.description))

    console = Console(stderr=True)
    columns = Description(), BarColumn(), TaskProgressColumn(), TimeRemainingColumn()
    is_shown = console.is_terminal and (beside_output or not sys.stdout.isatty())
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not is_shown,
        auto_refresh=by_itself,
    ) as progress:
        yield progress


def deliver(memory: MemoryFolder, progress: Progress, timeout_s: float) -> None:
    """Deliver to Mem0 what waits in the journal, for at most `timeout_s` seconds."""
    from freqtrade_mem0.delivery.push import delivery_of

    waiting = memory.outbox.state().pending
    if memory.delivers and waiting:
        task = progress.add_task("Delivering to Mem0", total=waiting)
        delivery_of(memory).drain(timeout_s, lambda done: progress.advance(task, done))
