"""The memory in one folder: journal, outbox and backend, opened as the settings say.

Bots, backtests, the command line and the library all open the same thing, any number at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.load import folder
from freqtrade_mem0.delivery import Delivery
from freqtrade_mem0.journal.journal import Journal, Scope
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.records.mapping import to_memory

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.settings import ProviderSettings, Settings
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory


class Store:
    """An opened memory. Nothing heavy is loaded before it is used.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    user_data_dir
        Freqtrade's user data folder; the default place of the memory is below it.
    """

    def __init__(self, settings: Settings, user_data_dir: Path) -> None:
        self.settings = settings
        self.folder = folder(settings, user_data_dir)
        self.journal = Journal(self.folder)
        self.outbox = Outbox(self.journal)
        self._backend: MemoryBackend | None = None

    @property
    def delivers(self) -> bool:
        """Whether records go on to Mem0, or stay in the journal alone."""
        return self.settings.mode != "local"

    @property
    def backend(self) -> MemoryBackend:
        """Where memories live. Never touched by a trading callback."""
        if self._backend is None:
            self._backend = self._open_backend()
        return self._backend

    def delivery(self) -> Delivery:
        """Return what moves this journal's records to this backend."""
        return Delivery(self.outbox, lambda: self.backend, self.settings.delivery)

    def records(self, **scope: Any) -> list[Record]:
        """Return current records in order of arrival; `scope` is what `journal.Scope` takes."""
        return [record for _, record in self.journal.records(Scope(**scope))]

    def stats(self) -> dict[str, Any]:
        """Return how many records are where, and how many wait.

        Returns
        -------
        dict
            `folder`, `mode`; `journal` and `mem0`, each with `total`, `by_kind`, `by_category` and
            `by_mode` (`mem0` is None in mode "local"); `pending`, `dead`, `last_error`.

        Raises
        ------
        BackendError, JournalError
            Mem0 or the journal can not be read.
        """
        state = self.outbox.state()
        in_mem0 = None
        if self.delivers:
            counted = self.backend.count(
                filters={"user_id": self.settings.user_id}, by=("kind", "category", "mode")
            )
            in_mem0 = _summary(
                {
                    (str(kind), str(category), str(mode)): n
                    for (kind, category, mode), n in counted.items()
                }
            )
        return {
            "folder": str(self.folder),
            "mode": self.settings.mode,
            "journal": _summary(self.journal.counts(user_id=self.settings.user_id)),
            "mem0": in_mem0,
            "pending": state.pending if self.delivers else 0,
            "dead": state.dead,
            "last_error": state.last_error,
        }

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        if self._backend is not None:
            self._backend.close()
            self._backend = None
        self.journal.close()

    def _open_backend(self) -> MemoryBackend:
        if not self.delivers:
            from freqtrade_mem0.backends.local import LocalBackend

            return LocalBackend(self._memories)
        from freqtrade_mem0.backends.embedded import EmbeddedBackend

        return EmbeddedBackend(
            self.folder,
            vector_store=_plain(self.settings.vector_store),
            embedder=_plain(self.settings.embedder),
            llm=_plain(self.settings.llm),
        )

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


def _plain(provider: ProviderSettings | None) -> dict[str, object] | None:
    return None if provider is None else provider.model_dump()
