"""The memory in one folder: journal, outbox and backend, opened as the settings say.

Bots, backtests, the command line and scripts open the same folder, several at the same time.
"""

from __future__ import annotations

import threading
from copy import copy
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.address import server_url
from freqtrade_mem0.config.load import folder
from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.journal.aged import Aged
from freqtrade_mem0.journal.asked import Asked
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.kinds.removal import Removal
from freqtrade_mem0.sqlite_files.opening import give_to_owner

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.config.credentials import Credentials
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.encryption.envelope import Secret
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.kinds.summary import TradeSummary
    from freqtrade_mem0.records.memory import Memory


class MemoryFolder:
    """An opened memory. What a backtest without Mem0 does not use is imported where it is used.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    user_data_dir
        Freqtrade's user data folder; the memory's default folder is in it.
    credentials
        Key of a server or of the platform; None looks where `find_credentials` says.
    secret
        The owner's key of an encrypted memory; None looks where `mem0.encryption.key` says.

    Raises
    ------
    ConfigError
        The memory is encrypted and the key is missing or another one, or it is plain and there is
        a key.
    """

    def __init__(
        self,
        settings: Settings,
        user_data_dir: Path,
        credentials: Credentials | None = None,
        secret: Secret | None = None,
    ) -> None:
        self.settings = settings
        self._credentials = credentials
        self.folder = folder(settings, user_data_dir)
        secret = secret or settings.encryption.secret()
        KEYRING.unlock(self.folder, secret)
        self._uses = {} if secret is None else {"mem0.encryption.key": secret.source}
        """Credentials that were used, and where they were found, not listed yet."""
        self.journal = Journal(self.folder)
        self._list_uses()
        self.outbox = Outbox(self.journal)
        self.marks = Marks(self.journal)
        self.aged = Aged(self.journal.connection, delivers=self.delivers)
        self.asked = Asked(self.journal.connection)
        self._backend: MemoryBackend | None = None
        self._opening = threading.Lock()
        self._first: MemoryFolder | None = None
        """The folder that this one was made from by `for_user`; it has the backend."""

    def __repr__(self) -> str:
        """Return which memory it is; no secret is in it."""
        own = self.settings
        return f"memory of user {own.user_id!r} in {self.folder.resolve()}, mode {own.mode!r}"

    @property
    def delivers(self) -> bool:
        """Whether records are delivered to Mem0, or stay in the journal alone."""
        return self.settings.mode != "local"

    @property
    def backend(self) -> MemoryBackend:
        """The Mem0 of these settings. A trading callback must not use it."""
        if self._first is not None:
            return self._first.backend
        with self._opening:
            if self._backend is None:
                from freqtrade_mem0.audit.credentials import credentials_of
                from freqtrade_mem0.backends.opening import open_backend

                self._backend = open_backend(
                    self.settings, self.folder, self._memories, self._credentials
                )
                self._uses |= credentials_of(self.settings, self._credentials)
                self._list_uses()
            return self._backend

    def for_user(self, user_id: str) -> MemoryFolder:
        """Return the same opened memory with another owner; closing one closes both."""
        other = copy(self)
        other.settings = self.settings.model_copy(update={"user_id": user_id})
        other._first = self._first or self  # noqa: SLF001 - of the same class
        return other

    @property
    def local(self) -> MemoryBackend:
        """The journal behind the interface of Mem0, for the time while Mem0 is away."""
        from freqtrade_mem0.backends.local import LocalBackend

        return LocalBackend(self._memories)

    def memory_of(self, record: Record) -> Memory:
        """Return the memory that stands for a record in Mem0, signed where the config has a key.

        Raises
        ------
        ConfigError
            The variable that `trust.key` names is not set.
        """
        from freqtrade_mem0.records.kinds.summary import TradeSummary
        from freqtrade_mem0.records.mapping import to_memory
        from freqtrade_mem0.records.signing import signed

        memory = to_memory(record)
        if isinstance(record, TradeSummary):
            memory = self._with_trades(record, memory)
        key = self.settings.trust.secret()
        return memory if key is None else signed(memory, key)

    @property
    def home(self) -> str:
        """A hash that tells the Mem0 of these settings from any other; holds no secret."""
        chosen = self.settings.model_dump_json(include={"mode", "vector_store"})
        where = f"{chosen} {server_url(self.settings)}"
        return sha256(where.encode()).hexdigest()[:16]

    def records(self, **scope: Any) -> list[Record]:
        """Return current records in order of arrival; `scope` is what `journal.Scope` takes."""
        return [record for _, record in self.journal.records(Scope(**scope))]

    def close(self, *, leave_backend: bool = False) -> None:
        """Release files and connections. Closing twice is harmless.

        Parameters
        ----------
        leave_backend
            Leave the backend open, because a thread still waits for Mem0 and closing would wait
            with it.
        """
        if self._first is not None:
            self._first.close(leave_backend=leave_backend)
            return
        if self._backend is not None and not leave_backend:
            self._backend.close()
            self._backend = None
        self.asked.write()
        self.journal.close()
        self._list_uses()
        give_to_owner(self.folder)

    def _list_uses(self) -> None:
        """List the credentials that were used, once the memory is there."""
        if self._uses and self.journal.path.exists():
            from freqtrade_mem0.audit.log import AuditLog

            for credential, source in self._uses.items():
                AuditLog(self.folder).note(credential, source)
            self._uses = {}

    def _memories(self) -> Iterator[Memory]:
        from freqtrade_mem0.records.mapping import to_memory

        removals = self.journal.of_kind(Removal)
        removed = {(removal.origin.user_id, removal.target_id) for removal in removals}
        aged = self.aged.ids_without_memory()
        for _, record in self.journal.records():
            if (record.origin.user_id, record.id) not in removed and record.id not in aged:
                yield to_memory(record)

    def _with_trades(self, summary: TradeSummary, memory: Memory) -> Memory:
        """Return a summary's memory with its trades, unless one of them was changed since."""
        from dataclasses import replace

        from freqtrade_mem0.records.block import digest, packed
        from freqtrade_mem0.records.codec import hash_of
        from freqtrade_mem0.records.kinds.trade import TradeRecord
        from freqtrade_mem0.records.memory import BLOCK

        found = self.journal.bodies(summary.trades)
        bodies = [found[each] for each in summary.trades if each in found]
        hashes = (hash_of(each, TradeRecord.added_later) for each in bodies)
        if len(bodies) < len(summary.trades) or digest(hashes) != summary.digest:
            return memory
        return replace(memory, metadata={**memory.metadata, BLOCK: packed(bodies)})
