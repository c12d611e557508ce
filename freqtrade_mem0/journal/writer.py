"""Appends entries behind trading callbacks, which hand them over and do not wait for a disk."""

from __future__ import annotations

import logging
import threading
from collections import deque
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.forked import Forked, forked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.journal.journal import Journal

    Submitted = Entry | Callable[[], Entry | tuple[Entry, ...]]

logger = logging.getLogger(__name__)

CAPACITY = 100_000
"""Entries kept in memory while the disk refuses them. Above it the oldest are dropped and counted;
trades among them come back through reconciliation with Freqtrade's trade database."""

RETRY_S = 5.0
"""Pause after a failed append."""

WORTH_A_CHILD = 300
"""Entries that take longer to append than a process to start."""

_CHILD_S, _CHILD_ENTRY_S = 30.0, 0.005
"""How long a child may take altogether, and for each entry: many times what it needs."""
_LOOK_S = 0.05
"""Pause between two looks of the thread at what was handed over. Callbacks come in a row, and one
that runs while the thread appends has to wait for the interpreter: so the thread appends when
nothing was handed over between two looks, and at the latest after `_MOST_LOOKS`."""
_MOST_LOOKS = 10


class JournalWriter:
    """Appends entries to a journal, in the order they were handed over.

    Parameters
    ----------
    journal
        Where to.
    background
        True for bots: a thread appends within half a second. False for backtests: the callback
        appends once `batch` entries wait, as a second thread would compete with Freqtrade's loop
        for the interpreter. It does not wait for the disk: a power cut ends the backtest anyway.
    batch
        Entries per append when not in the background, at least 1.
    appended
        Called by the thread after each append.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        background: bool,
        batch: int = 2_000,
        appended: Callable[[], None] = lambda: None,
    ) -> None:
        self._journal = journal
        self._appended = appended
        if not background:
            journal.connection.is_patient = False
        self._batch = self._append_at = batch
        self._waiting: deque[Submitted] = deque()
        """Removed from its left end under a lock, added to at its right end by any thread."""
        self._dropping = threading.Lock()
        self._asked: SimpleQueue[None] = SimpleQueue()
        """Makes the thread append now. Handing over takes no lock and does not wake the thread up:
        that takes the processor from a callback."""
        self._done = threading.Condition()
        self._appending = threading.Lock()
        self._closed = threading.Event()
        self._in_trouble = False
        self.dropped = 0
        self._child: tuple[Forked, list[Submitted]] | None = None
        """A child that appends, and what."""
        self._thread: threading.Thread | None = None
        if background:
            self._thread = threading.Thread(
                target=self._run, name="freqtrade-mem0-journal", daemon=True
            )
            self._thread.start()

    @property
    def in_trouble(self) -> bool:
        """Whether the last attempt to append failed."""
        return self._in_trouble

    @property
    def waiting(self) -> int:
        """Entries handed over and not yet in the journal."""
        return len(self._waiting)

    def submit(self, *entries: Submitted) -> None:
        """Hand entries over. Never raises, never blocks on a disk in the background mode.

        Parameters
        ----------
        entries
            An entry, or a function that returns one or several, so that they are built where they
            are appended. It must return the same each time it is called.
        """
        self._waiting.extend(entries)
        if len(self._waiting) > CAPACITY:
            self._drop_oldest()
        if self._thread is None and len(self._waiting) + self.dropped >= self._append_at:
            stored = self._append_waiting()
            # A locked journal takes long to say so: the next attempt waits for more entries, but
            # comes before the first one would be dropped.
            more = self._batch if stored else min(self._batch, CAPACITY // 5)
            self._append_at = len(self._waiting) + self.dropped + more

    def begin_flush(self) -> None:
        """Let a forked child append what waits, if it is much; `flush` then waits for the child.

        Not in the background mode. Where the child fails, `flush` appends as if there were none.
        """
        if self._child is None and len(self._waiting) >= WORTH_A_CHILD:
            self._journal.close()
            entries = list(self._waiting)
            child = forked(self._append_and_close)
            self._child = None if child is None else (child, entries)

    def flush(self, timeout_s: float) -> bool:
        """Wait until all entries are in the journal; False when `timeout_s` ran out first."""
        if self._thread is None:
            return self._append_waiting()
        if self._waiting and self._asked.empty():
            self._asked.put(None)
        with self._done:
            return self._done.wait_for(
                lambda: not self._waiting and not self._appending.locked(), timeout_s
            )

    def close(self, timeout_s: float) -> bool:
        """Flush, then stop the thread; return whether everything was written in time."""
        flushed = self.flush(timeout_s)
        self._closed.set()
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join(timeout_s)
        return flushed

    def _run(self) -> None:
        n_before = n_looks = 0
        while not self._closed.is_set() or self._waiting:
            is_due = self._closed.is_set() or self._is_asked()
            n, n_looks = len(self._waiting), n_looks + 1
            if n == 0 or not (is_due or n == n_before or n_looks > _MOST_LOOKS):
                n_before, n_looks = n, n_looks if n else 0
                continue
            while not self._append_waiting():
                if self._closed.wait(RETRY_S):
                    return
            self._appended()
            n_before = n_looks = 0

    def _is_asked(self) -> bool:
        """Wait until somebody asks for an append, or it is time for the next look."""
        with suppress(Empty):
            self._asked.get(timeout=_LOOK_S)
            return True
        return False

    def _append_waiting(self) -> bool:
        with self._appending:
            self._await_child()
            entries = list(self._waiting)
            stored = not entries or self._append(entries)
            if stored:
                self._leave_out(entries)
                self._in_trouble = False
        with self._done:
            self._done.notify_all()
        return stored

    def _append_and_close(self) -> bool:
        """In a child, append what waits, and leave no log of SQLite's to read."""
        stored = self._append_waiting()
        self._journal.close()
        return stored

    def _await_child(self) -> None:
        if self._child is not None:
            (child, entries), self._child = self._child, None
            if child.succeeded(_CHILD_S + _CHILD_ENTRY_S * len(entries)):
                self._leave_out(entries)

    def _leave_out(self, entries: list[Submitted]) -> None:
        """Let entries that were appended wait no longer."""
        with self._dropping:
            # More may have been handed over, or the oldest dropped, in the meantime.
            for entry in entries:
                if self._waiting and self._waiting[0] is entry:
                    self._waiting.popleft()

    def _append(self, entries: list[Submitted]) -> bool:
        """Append entries; log one that can not be written, so that it does not hold up others."""
        try:
            self._journal.append(_written(entries))
        except (ConfigError, JournalError) as error:
            self._warn_once(error)
            return False
        except Exception:
            parts = entries if len(entries) > 1 else _several(entries[0])
            if parts:  # one of the halves has it
                middle = len(parts) // 2
                return self._append(parts[:middle]) and self._append(parts[middle:])
            logger.exception("This entry can not be written to the journal: %r", entries[0])
        return True

    def _drop_oldest(self) -> None:
        with self._dropping:
            was_complete = self.dropped == 0
            while len(self._waiting) > CAPACITY:
                self._waiting.popleft()
                self.dropped += 1
        if was_complete and self.dropped:
            logger.error(
                "More than %d entries wait for the journal; the oldest are dropped. A bot's trades "
                "come back from Freqtrade's database at its next start; repeat a backtest.",
                CAPACITY,
            )

    def _warn_once(self, error: ConfigError | JournalError) -> None:
        if not self._in_trouble:
            self._in_trouble = True
            logger.warning(
                "%s %d entries wait in memory (up to %d).", error, self.waiting, CAPACITY
            )


def _several(submitted: Submitted) -> list[Submitted]:
    """Return the entries of a function that returns several; none where it fails."""
    try:
        entries: list[Submitted] = list(_written([submitted]))
    except Exception:  # noqa: BLE001 - the caller logs that of its own attempt
        return []
    return entries if len(entries) > 1 else []


def _written(submitted: Sequence[Submitted]) -> Iterator[Entry]:
    """Yield the entries, in their order.

    Functions of one kind are called in a row, so that the processor keeps their code in its caches.
    """
    given: list[Any] = list(submitted)
    kinds = [type(each).__name__ for each in given]
    for place in sorted(range(len(given)), key=kinds.__getitem__):
        each = given[place]
        if callable(each):
            given[place] = each()
    for each in given:
        if isinstance(each, tuple):
            yield from each
        else:
            yield each
