"""Memory for scripts and tools: store and recall by category, with or without a server.

Nothing here runs in a trading callback, so calls may wait for Mem0: what is stored is in Mem0 when
the call returns, or waits in the journal while Mem0 is away.
"""

from __future__ import annotations

from copy import copy
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self

from freqtrade_mem0.client.access import Access
from freqtrade_mem0.client.asking import as_dict, category_named, checked_user, flat, question
from freqtrade_mem0.client.cache import MAX_MEMORIES
from freqtrade_mem0.errors import BackendError, RecordError
from freqtrade_mem0.records.base import Mode, Origin, record_id
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.retraction import retraction, retraction_id
from freqtrade_mem0.views.stats import stats

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from freqtrade_mem0.client.cache import CacheStats
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Scalar

MANUAL_STRATEGY = "manual"
"""Strategy of records that name none."""


class Mem0Client:
    """Stores and recalls memories in six categories; safe to share between threads.

    A recall shows what was stored or deleted through the client before it. While Mem0 is away, the
    journal on this machine answers, and Mem0 is asked again after `delivery.retry_s`.

    Most scripts get a client from `get_mem0_client`.

    Parameters
    ----------
    store
        The opened memory.
    ttl_s
        How long an answer is repeated without asking Mem0, in seconds, >= 0. What other processes
        write is seen that much later; with 0 Mem0 is asked every time.
    max_memories
        Most memories held to be repeated, >= 1.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from freqtrade_mem0 import get_mem0_client
    >>> with TemporaryDirectory() as folder, get_mem0_client(user_data_dir=folder) as client:
    ...     kept = client.store("risk_profile", "Never more than 2 % of the account in one coin")
    ...     print(client.recall("risk_profile", "how much in one coin?")[0]["content"])
    ...     print(client.delete(kept), client.recall("risk_profile"))
    Never more than 2 % of the account in one coin
    True []
    """

    def __init__(
        self, store: MemoryFolder, *, ttl_s: float = 0.0, max_memories: int = MAX_MEMORIES
    ) -> None:
        self._user_id = store.settings.user_id
        self._store = store
        self._access = Access(store, ttl_s=ttl_s, max_memories=max_memories)

    @property
    def user_id(self) -> str:
        """Owner of the memories."""
        return self._user_id

    def for_user(self, user_id: str) -> Mem0Client:
        """Return a client for another owner, on the same opened memory; closing one closes both.

        Raises
        ------
        RecordError
            `user_id` is empty, holds blanks or is "*".
        """
        other = copy(self)
        other._user_id = checked_user(user_id)  # noqa: SLF001 - of the same class
        return other

    def store(
        self, category: str, content: str, metadata: Mapping[str, Scalar] | None = None
    ) -> str:
        """Remember a text; return its id.

        Parameters
        ----------
        category
            `user_preferences`, `market_conditions`, `strategy_performance`, `risk_profile`,
            `portfolio_patterns` or `learning_insights`.
        content
            Not blank. The same text in the same category is stored once.
        metadata
            Own values: texts, numbers or bools.

        Raises
        ------
        RecordError
            The category is unknown, the content blank, or the metadata nested.
        JournalError
            The journal can not be written; nothing is stored.
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
            metadata=flat(metadata or {}),
        )
        self.append(note)
        return note.id

    def recall(
        self,
        category: str | None = None,
        query: str | None = None,
        *,
        limit: int | None = 10,
        filters: Mapping[str, Any] | None = None,
        strategy: str | None = None,
        min_relevance: float | None = None,
        window_days: float | None = None,
        now: datetime | None = None,
    ) -> list[dict[str, Any]]:
        """Return memories of this owner: the best matches for a query, or the newest.

        Retracted records are left out, and so are the retractions.

        Parameters
        ----------
        category
            One of the six; None for all.
        query
            Free text, for the strategy `relevant`.
        limit
            Most memories returned, >= 1; None for all, which needs a strategy without query.
        filters
            Mem0's filter language over metadata, for example `{"pair": "ETH/USDT"}`. It may not
            name another user.
        strategy
            `relevant` (best matches for `query`), `recent` (became known in a time window) or
            `all`. None means `relevant` with a query and `all` without one.
        min_relevance
            For `relevant`: smallest score, [0, 1]. The range of scores depends on the embedder.
        window_days
            For `recent`: days before `now`, (0, 36500]; None for 30.
        now
            For `recent`: aware UTC; None for the wall clock.

        Returns
        -------
        list of dict
            `id`, `content`, `score` (None without a query), `created_at` (aware UTC) and
            `metadata`.

        Raises
        ------
        RecordError
            An argument breaks its rule, or two do not go together.
        BackendError
            Permanent: the filter can not be used.
        """
        how: dict[str, Any] = {"strategy": strategy, "min_relevance": min_relevance}
        when: dict[str, Any] = {"window_days": window_days, "now": now}
        asked = question(self.user_id, category, query, limit=limit, filters=filters, **how, **when)
        return [as_dict(memory) for memory in self._access.ask(asked)]

    def recall_many(
        self,
        queries: Sequence[str],
        category: str | None = None,
        *,
        limit: int = 10,
        filters: Mapping[str, Any] | None = None,
        min_relevance: float | None = None,
    ) -> list[list[dict[str, Any]]]:
        """Return what `recall` returns for each query, in their order; some run in parallel."""
        if not queries:
            return []
        bounds: dict[str, Any] = {"limit": limit, "min_relevance": min_relevance}
        asked = question(self.user_id, category, queries[0], filters=filters, **bounds)
        found = self._access.ask_many(asked, queries)
        return [[as_dict(memory) for memory in each] for each in found]

    def preload(
        self,
        category: str | None = None,
        *,
        filters: Mapping[str, Any] | None = None,
        hold_s: float = 60.0,
    ) -> int:
        """Read memories now, so that the same `recall` without a query need not ask Mem0.

        Parameters
        ----------
        category, filters
            Those of the later `recall`, whose strategy is `all`; its limit does not matter.
        hold_s
            How long they are held, in seconds, > 0. What others write is seen after that; what is
            written through this client is seen at once.

        Returns
        -------
        int
            Memories held; 0 where there are more than `max_memories`, or Mem0 is away.
        """
        asked = question(self.user_id, category, limit=None, filters=filters)
        return self._access.preload(asked, hold_s)

    def cache_stats(self) -> CacheStats:
        """Return how many questions were answered without Mem0, over all owners."""
        return self._access.reads.stats()

    def delete(self, memory_id: str) -> bool:
        """Delete one memory of this owner; return whether it was there.

        It is deleted in Mem0, and its record in the journal is retracted. A memory of another owner
        counts as not there.

        Raises
        ------
        BackendError
            The journal does not know the memory, and Mem0 can not be asked.
        """
        record = self._store.journal.record(memory_id)
        if record is not None:
            if record.origin.user_id != self.user_id:
                return False
            # A retraction is delivered like any record, so Mem0 may be away now.
            self.append(retraction(record, "deleted by hand", datetime.now(UTC)))
            return True
        try:
            memory = self._store.backend.get(memory_id)
        except BackendError:
            if self._store.journal.record(retraction_id(memory_id)) is not None:
                return False
            raise
        if memory is None or memory.user_id != self.user_id:
            return False
        return self._access.delete(memory_id)

    def stats(self) -> dict[str, Any]:
        """Return how many records are in the journal and in Mem0, and how many wait.

        Records are those of this owner; what waits is everybody's. Keys: `folder`, `mode`;
        `journal` and `mem0`, each with `total`, `by_kind`, `by_category` and `by_mode` (`mem0` is
        None where it can not be asked: `mem0_error` says why); `pending`, `dead`, `last_error`,
        `failures`, `delivered_at`, `lag_s`.
        """
        return stats(self._store, self.user_id)

    def append(self, *records: Record) -> None:
        """Write records of any kind to the journal, and deliver them if Mem0 can be reached."""
        self._access.append(records)

    def records(self, **scope: Any) -> list[Record]:
        """Return current records of this owner from the journal; see `journal.Scope`."""
        return self._store.records(user_id=self.user_id, **scope)

    def manual_origin(self, strategy: str | None = None) -> Origin:
        """Return the origin of records that are written through this client."""
        return Origin(
            user_id=self.user_id,
            strategy=strategy or MANUAL_STRATEGY,
            mode=Mode.MANUAL,
            run_id=self._store.settings.bot_id or Mode.MANUAL,
        )

    def deliver(self) -> bool:
        """Deliver what waits in the journal; return whether nothing waits any more.

        While Mem0 is away this retries for up to half a minute, unlike a recall, which tries once.
        """
        return self._access.deliver()

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        self._access.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
