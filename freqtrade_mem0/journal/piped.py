"""What forked children work out, item by item, while this process uses what came before.

As with all of `forked`, children only have to save time: where one does not come to its end, the
caller does the work again in this process.
"""

from __future__ import annotations

import marshal
from itertools import cycle
from multiprocessing.connection import Pipe
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.journal.forked import Forked, forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from multiprocessing.connection import Connection

_SILENCE_S = 60.0
"""A child from which nothing comes for so long hangs, and is ended."""
_EXIT_S = 5.0
_END = marshal.dumps(None)


class _Child(NamedTuple):
    process: Forked
    pipe: Connection

    def sent(self) -> bytes:
        """Return what comes next; nothing where the child was killed, or hangs."""
        try:
            return self.pipe.recv_bytes() if self.pipe.poll(_SILENCE_S) else b""
        except (EOFError, OSError):
            return b""


class Piped:
    """The items that children send: one of each in turn. Iterate once, and close."""

    def __init__(self, children: Sequence[_Child]) -> None:
        self._children = children
        self.pids = [each.process.pid for each in children]
        self.is_whole = False
        """Whether all items came, and no child had something to log; set when no more come."""

    def __iter__(self) -> Iterator[Any]:
        """Yield what comes, until the child whose turn it is has ended."""
        for child in cycle(self._children):
            sent = child.sent()
            if not sent or sent == _END:
                break
            yield marshal.loads(sent)  # noqa: S302 - from our own child
        self.is_whole = sent == _END and all(
            (each is child or each.sent() == _END) and each.process.succeeded(_EXIT_S)
            for each in self._children
        )

    def close(self) -> None:
        """End the children that still work."""
        for process, pipe in self._children:
            pipe.close()
            process.end()


def piped(works: Sequence[Callable[[], Iterable[Any]]]) -> Piped | None:
    """Let a forked child do each work; None where there can be none, see `forked`.

    Parameters
    ----------
    works
        Give items of plain values: lists, exact tuples, texts, bytes, numbers; not None.
    """
    children: list[_Child] = []
    for work in works:
        child = _started(work)
        if child is None:
            Piped(children).close()
            return None
        children.append(child)
    return Piped(children)


def _started(work: Callable[[], Iterable[Any]]) -> _Child | None:
    receiving, sending = Pipe(duplex=False)

    def send() -> bool:
        receiving.close()  # so that the child notices when this process is gone
        for item in work():
            sending.send_bytes(marshal.dumps(item))
        sending.send_bytes(_END)
        return True

    process = forked(send)
    sending.close()
    if process is None:
        receiving.close()
        return None
    return _Child(process, receiving)
