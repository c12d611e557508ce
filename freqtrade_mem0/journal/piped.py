"""What a forked child works out, item by item, while this process uses what came before.

As with all of `forked`, the child only has to save time: where it does not come to its end, the
caller does the work again in this process.
"""

from __future__ import annotations

import marshal
from multiprocessing.connection import Pipe
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.forked import forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from multiprocessing.connection import Connection

    from freqtrade_mem0.journal.forked import Forked

_SILENCE_S = 60.0
"""A child from which nothing comes for so long hangs, and is ended."""
_EXIT_S = 5.0
_END = marshal.dumps(None)


class Piped:
    """The items that a child sends. Iterate once, and close."""

    def __init__(self, child: Forked, pipe: Connection) -> None:
        self._child, self._pipe = child, pipe
        self.pid = child.pid
        self.is_whole = False
        """Whether all items came, and the child had nothing to log; set when no more come."""

    def __iter__(self) -> Iterator[Any]:
        """Yield what comes, in order, until the child has ended."""
        while (item := self._next()) is not None:
            yield item

    def _next(self) -> Any:
        try:
            sent = self._pipe.recv_bytes() if self._pipe.poll(_SILENCE_S) else b""
        except (EOFError, OSError):  # it was killed
            return None
        if sent == _END:
            self.is_whole = self._child.succeeded(_EXIT_S)
        return marshal.loads(sent) if sent else None  # noqa: S302 - from our own child

    def close(self) -> None:
        """End the child if it still works."""
        self._pipe.close()
        if not self.is_whole:
            self._child.end()


def piped(work: Callable[[], Iterable[Any]]) -> Piped | None:
    """Let a forked child do some work; None where there can be no child, see `forked`.

    Parameters
    ----------
    work
        Gives items of plain values: lists, exact tuples, texts, bytes, numbers; not None.
    """
    receiving, sending = Pipe(duplex=False)

    def send() -> bool:
        receiving.close()  # so that the child notices when this process is gone
        for item in work():
            sending.send_bytes(marshal.dumps(item))
        sending.send_bytes(_END)
        return True

    child = forked(send)
    sending.close()
    if child is None:
        receiving.close()
        return None
    return Piped(child, receiving)
