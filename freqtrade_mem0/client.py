"""Memory for scripts and tools: store and recall by category, with or without a server.

Outside Freqtrade's callbacks everything may take its time: what is stored is in Mem0 when the call
returns, or waits in the journal when Mem0 is away.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from freqtrade_mem0.backends.payload import RESERVED_KEYS
from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.config.load import BLOCK, load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.records.base import Category, Mode, Origin, record_id
from freqtrade_mem0.records.note import Note
from freqtrade_mem0.records.retraction import retraction
from freqtrade_mem0.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory, Scalar

logger = logging.getLogger(__name__)

MANUAL_STRATEGY = "manual"
"""Strategy of records that name none."""

_DELIVER_TIMEOUT_S = 30.0


def get_mem0_client(
    config: Mapping[str, Any] | None = None,
    *,
    api_key: str | None = None,
    user_data_dir: Path | str = "user_data",
) -> Mem0Client:
    """Open the memory that the `"mem0"` block describes.

    Parameters
    ----------
    config
        A Freqtrade config; without one, or without its `"mem0"` block, the defaults hold: Mem0
        embedded in `<user_data_dir>/mem0`, no key, no server.
    api_key
        A key of the Mem0 platform. The platform is not among the backends of this version, so a
        key given here is refused; one found in M0_API_KEY, MEM0_API_KEY or .env.mem0 is reported
        and the local memory is used.
    user_data_dir
        Freqtrade's user data folder.

    Raises
    ------
    ConfigError
        The block is wrong, or a key was given.
    """
    credentials = find_credentials(api_key)
    if credentials is not None:
        sentence = (
            f"A key of the Mem0 platform was found ({credentials.source}), but this version keeps "
            "memories on this machine only (mem0.mode 'embedded' or 'local')."
        )
        if api_key is not None:
            raise ConfigError(f"{sentence} Leave api_key out.")
        logger.warning("%s It is not used.", sentence)
    settings = load_settings(config) if config is not None and BLOCK in config else Settings()
    return Mem0Client(Store(settings or Settings(), Path(user_data_dir)))


def initialize_mem0(
    api_key: str | None = None,
    config: Mapping[str, Any] | None = None,
    *,
    user_data_dir: Path | str = "user_data",
) -> Mem0Client:
    """Open a memory and see that it can be written to; like `get_mem0_client`, but not lazy.

    Raises
    ------
    ConfigError
        As `get_mem0_client`; also when the memory's folder can not be written to.
    """
    client = get_mem0_client(config, api_key=api_key, user_data_dir=user_data_dir)
    client.stats()
    return client


class Mem0Client:
    """Stores and recalls memories in the six categories.

    Parameters
    ----------
    store
        The opened memory.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, get_mem0_client(user_data_dir=folder) as client:
    ...     _ = client.store("risk_profile", "Never more than 2 % of the account in one coin")
    ...     client.recall("risk_profile", "how much in one coin?")[0]["content"]
    'Never more than 2 % of the account in one coin'
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._delivery = store.delivery() if store.delivers else None

    @property
    def user_id(self) -> str:
        """Owner of the memories."""
        return self._store.settings.user_id

    def store(
        self, category: str, content: str, metadata: Mapping[str, Scalar] | None = None
    ) -> str:
        """Remember a text; return its id.

        Parameters
        ----------
        category
            One of the six.
        content
            Not blank. The same text in the same category is remembered once.
        metadata
            Flat values of your own.

        Raises
        ------
        RecordError
            Unknown category, blank content, or metadata that is not flat.
        """
        filed_under = category_named(category)
        if not content.strip():
            raise RecordError("content must not be blank: there is nothing to remember.")
        now = datetime.now(UTC)
        note = Note(
            id=record_id("note", self.user_id, filed_under, content),
            origin=self.manual_origin(),
            known_at=now,
            recorded_at=now,
            filed_under=filed_under,
            content=content,
            metadata=_flat(metadata or {}),
        )
        self.append(note)
        return note.id

    def recall(
        self,
        category: str | None = None,
        query: str | None = None,
        *,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return memories: by relevance to `query`, or the newest first without one.

        Parameters
        ----------
        category
            One of the six; None for all.
        query
            Free text.
        limit
            At most so many, >= 1.
        filters
            Mem0's filter language over metadata, for example `{"pair": "ETH/USDT"}`.

        Returns
        -------
        list of dict
            `id`, `content`, `score` (None without a query), `created_at` (aware UTC) and
            `metadata`.
        """
        if limit < 1:
            raise RecordError(f"limit must be at least 1, got {limit}.")
        self.deliver()
        wanted: dict[str, Any] = {"user_id": self.user_id, **(filters or {})}
        if category is not None:
            wanted["category"] = str(category_named(category))
        backend = self._store.backend
        if query is not None:
            found = backend.search(query, filters=wanted, limit=limit)
        else:
            found = list(backend.scan(filters=wanted))[: -limit - 1 : -1]
        return [_as_dict(memory) for memory in found]

    def delete(self, memory_id: str) -> bool:
        """Delete one memory from Mem0 and take back its record; return whether it was there.

        The record stays in the journal, marked as taken back.
        """
        in_mem0 = self._store.backend.delete([memory_id])
        record = self._store.journal.record(memory_id)
        if record is not None:
            self.append(retraction(record, "deleted by hand", datetime.now(UTC)))
        return record is not None or in_mem0 > 0

    def stats(self) -> dict[str, Any]:
        """Return how much is remembered where, and how much waits for delivery."""
        return self._store.stats()

    def append(self, *records: Record) -> None:
        """Write records of any kind to the journal and on to Mem0."""
        self._store.journal.append(records)
        self.deliver()

    def records(self, **scope: Any) -> list[Record]:
        """Return current records of this user; see `journal.Scope` for what can be asked."""
        return self._store.records(user_id=self.user_id, **scope)

    def manual_origin(self, strategy: str | None = None) -> Origin:
        """Return the origin of what is written through this client."""
        return Origin(
            user_id=self.user_id,
            strategy=strategy or MANUAL_STRATEGY,
            mode=Mode.MANUAL,
            run_id=self._store.settings.bot_id or Mode.MANUAL,
        )

    def deliver(self) -> None:
        """Bring what waits in the journal to Mem0, if Mem0 can be reached."""
        if self._delivery is not None:
            self._delivery.drain(_DELIVER_TIMEOUT_S)

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        self._store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def category_named(name: str) -> Category:
    """Return the category of this name; raise `RecordError` naming the six otherwise."""
    try:
        return Category(name)
    except ValueError:
        raise RecordError(
            f"category {name!r} is unknown; the six are {', '.join(Category)}."
        ) from None


def _flat(metadata: Mapping[str, Any]) -> dict[str, Scalar]:
    for key, value in metadata.items():
        if key in RESERVED_KEYS:
            raise RecordError(f"metadata {key!r} is a name Mem0 keeps for itself; choose another.")
        if not isinstance(value, str | int | float | bool) or value != value:  # noqa: PLR0124 - NaN
            raise RecordError(
                f"metadata {key!r} must be text, a number or a truth value, got {value!r}: "
                "Mem0's stores keep nothing nested."
            )
    return dict(metadata)


def _as_dict(memory: Memory) -> dict[str, Any]:
    metadata = {key: value for key, value in memory.metadata.items() if key != "record"}
    return {
        "id": memory.id,
        "content": memory.text,
        "score": memory.score,
        "created_at": memory.created_at,
        "metadata": metadata,
    }
