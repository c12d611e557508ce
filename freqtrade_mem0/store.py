"""The memory in one folder: journal, outbox and backend, opened as the settings say.

Bots, backtests, the command line and the library all open the same thing, any number at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.config.load import folder
from freqtrade_mem0.delivery import Delivery
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.records.mapping import to_memory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.settings import ProviderSettings, Settings
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


def _plain(provider: ProviderSettings | None) -> dict[str, object] | None:
    return None if provider is None else provider.model_dump()
