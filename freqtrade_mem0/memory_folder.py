"""The memory in one folder: journal, outbox and backend, opened as the settings say.

Bots, backtests, the command line and the library all open the same thing, any number at once.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.opening import open_backend
from freqtrade_mem0.config.address import server_url
from freqtrade_mem0.config.load import folder
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.journal import Journal, Scope
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.records.mapping import to_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.credentials import Credentials
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory


class MemoryFolder:
    """An opened memory. Nothing heavy is loaded before it is used.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    user_data_dir
        Freqtrade's user data folder; the default place of the memory is below it.
    credentials
        Key of a server or of the platform; None looks where `find_credentials` says.
    """

    def __init__(
        self, settings: Settings, user_data_dir: Path, credentials: Credentials | None = None
    ) -> None:
        self.settings = settings
        self._credentials = credentials
        self.folder = folder(settings, user_data_dir)
        self.journal = Journal(self.folder)
        self.outbox = Outbox(self.journal)
        self.marks = Marks(self.journal)
        self._backend: MemoryBackend | None = None
        self._opening = threading.Lock()

    @property
    def delivers(self) -> bool:
        """Whether records go on to Mem0, or stay in the journal alone."""
        return self.settings.mode != "local"

    @property
    def backend(self) -> MemoryBackend:
        """Where memories live. Never touched by a trading callback."""
        with self._opening:
            if self._backend is None:
                self._backend = open_backend(
                    self.settings, self.folder, self._memories, self._credentials
                )
            return self._backend

    @property
    def local(self) -> MemoryBackend:
        """What the journal holds, to be asked like Mem0: for the time in which that is away."""
        from freqtrade_mem0.backends.local import LocalBackend

        return LocalBackend(self._memories)

    @property
    def home(self) -> str:
        """What tells the Mem0 these settings mean from any other; holds no secret."""
        chosen = self.settings.model_dump_json(include={"mode", "vector_store"})
        where = f"{chosen} {server_url(self.settings)}"
        return sha256(where.encode()).hexdigest()[:16]

    def records(self, **scope: Any) -> list[Record]:
        """Return current records in order of arrival; `scope` is what `journal.Scope` takes."""
        return [record for _, record in self.journal.records(Scope(**scope))]

    def stats(self, user_id: str | None = None) -> dict[str, Any]:
        """Return how many records are where, and how many wait.

        Parameters
        ----------
        user_id
            Whose are counted; None for the owner in the settings. What waits is everybody's.

        Returns
        -------
        dict
            `folder`, `mode`; `journal` and `mem0`, each with `total`, `by_kind`, `by_category` and
            `by_mode` (`mem0` is None in mode "local", and where Mem0 can not be asked: then
            `mem0_error` says why); `pending`, `dead`, `last_error`, `failures` in a row,
            `delivered_at` (ISO time of the last delivery or None), `lag_s` (age of the oldest
            record that waits, in seconds; 0.0 where none does).

        Raises
        ------
        JournalError
            The journal can not be read.
        """
        owner = self.settings.user_id if user_id is None else user_id
        state = self.outbox.state()
        in_mem0, mem0_error = None, ""
        if self.delivers:
            try:
                in_mem0 = self._counted(owner)
            except BackendError as error:
                mem0_error = str(error)
        now = datetime.now(UTC)
        since = state.waiting_since if self.delivers else None
        lag = timedelta(0) if since is None else max(now - since, timedelta(0))
        return {
            "folder": str(self.folder),
            "mode": self.settings.mode,
            "journal": _summary(self.journal.counts(user_id=owner)),
            "mem0": in_mem0,
            "mem0_error": mem0_error,
            "pending": state.pending if self.delivers else 0,
            "dead": state.dead,
            "last_error": state.last_error,
            "failures": state.failures,
            "delivered_at": None if state.delivered_at is None else state.delivered_at.isoformat(),
            "lag_s": lag.total_seconds(),
        }

    def _counted(self, owner: str) -> dict[str, Any]:
        keys = ("kind", "category", "mode")
        counted = self.backend.count(filters={"user_id": owner}, by=keys)
        return _summary(
            {
                (str(kind), str(category), str(mode)): n
                for (kind, category, mode), n in counted.items()
            }
        )

    def close(self, *, leave_backend: bool = False) -> None:
        """Release files and connections. Closing twice is harmless.

        Parameters
        ----------
        leave_backend
            A thread still waits for Mem0: closing what it uses would wait with it.
        """
        if self._backend is not None and not leave_backend:
            self._backend.close()
            self._backend = None
        self.journal.close()

    def _memories(self) -> Iterator[Memory]:
        for _, record in self.journal.records():
            yield to_memory(record)


def _summary(counts: Mapping[tuple[str, str, str], int]) -> dict[str, Any]:
    summary: dict[str, Any] = {"total": sum(counts.values())}
    for position, name in enumerate(("by_kind", "by_category", "by_mode")):
        totals: dict[str, int] = {}
        for key, count in sorted(counts.items()):
            totals[key[position]] = totals.get(key[position], 0) + count
        summary[name] = totals
    return summary
