"""Memory for scripts and tools: store and recall by category, with or without a server.

Nothing here runs in a trading callback, so calls may wait for Mem0: what is stored is in Mem0 when
the call returns, or waits in the journal while Mem0 is away.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, Self

from freqtrade_mem0.client.access import Access
from freqtrade_mem0.client.asking import as_dict, checked_user, question
from freqtrade_mem0.client.by_hand import delete, retract, update
from freqtrade_mem0.client.described import described_memory
from freqtrade_mem0.client.mem0_calls import Mem0Calls
from freqtrade_mem0.client.memories import Memories
from freqtrade_mem0.client.told_note import checked_strategy, told_note
from freqtrade_mem0.client.upkeep import Upkeep
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.views.stats import stats
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.client.cache import CacheStats
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record

MANUAL_STRATEGY = "manual"
"""Strategy of records that name none."""


class Mem0Client(Mem0Calls, Upkeep):
    """Stores and recalls memories in six categories; safe to share between threads.

    A recall shows what was stored or deleted through the client before it. While Mem0 is away, the
    journal on this machine answers, and Mem0 is asked again after `delivery.retry_s`.

    Parameters
    ----------
    store
        The opened memory; None opens the one that `described` names, as `get_mem0_client` does.
    ttl_s, max_memories
        As in `CacheSettings`; None takes those of the config.
    described
        Arguments of `get_mem0_client`.

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
        self,
        store: MemoryFolder | None = None,
        *,
        ttl_s: float | None = None,
        max_memories: int | None = None,
        **described: Any,
    ) -> None:
        self.folder = store = described_memory(**described) if store is None else store
        self._user_id = store.settings.user_id
        cache = store.settings.cache
        self._access = Access(
            store,
            ttl_s=cache.ttl_s if ttl_s is None else ttl_s,
            max_memories=cache.max_memories if max_memories is None else max_memories,
        )
        self.memories = Memories(self.recall)

    def __repr__(self) -> str:
        return f"Mem0Client(user {self.user_id!r}; {self.folder!r})"

    @property
    def user_id(self) -> str:
        """Owner of the memories."""
        return self._user_id

    @property
    def reach(self) -> Scope:
        """What this client reads and writes."""
        return self.scope()

    def scope(
        self,
        *,
        strategy: str | None = None,
        mode: str | None = None,
        run_id: str | None = None,
        pair: str | None = None,
        kind: str | None = None,
    ) -> Scope:
        """Return the part of what this client reads that has these values; None is any."""
        return Scope(
            user_id=self.user_id,
            strategy=strategy,
            modes=None if mode is None else [Mode(mode)],
            run_id=run_id,
            pair=None if pair is None else pair.upper(),
            kind=kind,
        )

    @property
    def place(self) -> str:
        """Where the memory is, for sentences about it."""
        return str(self.folder.folder)

    def for_user(self, user_id: str) -> Mem0Client:
        """Return a client for another owner, on the same opened memory; closing one closes both.

        `RecordError`: `user_id` is empty, holds blanks or is "*".
        """
        other = copy(self)
        other._user_id = checked_user(user_id)  # noqa: SLF001 - of the same class
        other.folder = self.folder.for_user(user_id)
        other.memories = Memories(other.recall)
        return other

    def store(self, category: str, content: str, metadata: Mapping[str, Any] | None = None) -> str:
        """Remember a text; return its id.

        Parameters
        ----------
        category
            `user_preferences`, `market_conditions`, `strategy_performance`, `risk_profile`,
            `portfolio_patterns` or `learning_insights`, or an alias of one.
        content
            Not blank. The same text is stored once in a category.
        metadata
            Own values; nested ones are kept, and found, under names with dots. `strategy` is the
            strategy the text is about; `category` must be the same as `category`.

        `RecordError`: the category is unknown or switched off, the content blank, or a name in the
        metadata is one of Mem0's or ours. `JournalError`: the journal can not be written.
        """
        note = told_note(self.folder, self.manual_origin, category, content, metadata)
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
        where: str | None = None,
        **named: Any,
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
            Most memories returned, >= 1, also as `max_memories`; None for all, without a query.
        filters
            Mem0's filter language over metadata, for example `{"pair": "ETH/USDT"}`. It may not
            name another user.
        strategy
            `relevant` (best matches for `query`), `recent` (became known in a time window) or
            `all`. None means `relevant` with a query and `all` without one.
        min_relevance
            For `relevant`: smallest score, [0, 1]. The range of scores depends on the embedder.
        window_days
            For `recent`: days before `now`, (0, 36500], or `time_window_hours`; None for 30.
        now
            For `recent`: aware UTC; None for the wall clock.
        where
            In the query language, as in `profit:>10.0`; its free words are added to `query`.

        Returns
        -------
        list of dict
            `id`, `memory` and `content` (the text), `timestamp` (ISO text), `created_at` (aware
            UTC), `score` (None without a query) and `metadata`.

        Raises
        ------
        RecordError
            An argument breaks its rule, or two do not go together.
        BackendError
            Permanent: the filter can not be used.
        """
        how: dict[str, Any] = {"strategy": strategy, "min_relevance": min_relevance, "where": where}
        when: dict[str, Any] = {"window_days": window_days, "now": now, **named}
        own = self._reached(filters)
        asked = question(self.user_id, category, query, limit=limit, filters=own, **how, **when)
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
        asked = question(
            self.user_id, category, queries[0], filters=self._reached(filters), **bounds
        )
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

        `category` and `filters` are those of the later `recall`, whose strategy is `all`; its limit
        does not matter. They are held for `hold_s` seconds, > 0: what others write is seen after
        that; what is written through this client is seen at once.

        Return how many are held: 0 where there are more than `max_memories`, or Mem0 is away.
        """
        asked = question(self.user_id, category, limit=None, filters=self._reached(filters))
        return self._access.preload(asked, hold_s)

    def cache_stats(self) -> CacheStats:
        """Return how many questions were answered without Mem0, over all owners."""
        return self._access.reads.stats()

    def update(
        self, memory_id: str, text: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> bool:
        """Change a memory of this owner; return whether it was there.

        The changed memory is a new version under the same id. What bots recorded may not change.

        Values in `metadata` replace those of the same name, None takes a name away. `RecordError`:
        the record may not be changed; `BackendError`: only Mem0 may know it, and can not be asked.
        """
        return update(self._access, self.user_id, memory_id, text, metadata)

    def delete(self, memory_id: str) -> bool:
        """Delete one memory of this owner in Mem0 and in all answers; return whether it was there.

        A trade, a risk event or a backtest still counts as evidence; `retract` ends that.
        `BackendError`: the journal does not know the memory, and Mem0 can not be asked.
        """
        return delete(self._access, self.user_id, memory_id)

    def retract(self, memory_id: str, reason: str = "taken back by hand") -> bool:
        """Take a record out of evidence and delete its memory; return whether it was there.

        `RecordError`: it is a bot's trade, which answers to Freqtrade's trade database alone.
        """
        return retract(self._access, self.user_id, memory_id, reason)

    def stats(self) -> dict[str, Any]:
        """Return how many records are where, and how many wait; see `views.stats`."""
        return stats(self.folder, self.user_id)

    def append(self, *records: Record) -> None:
        """Write records of any kind to the journal, and deliver them if Mem0 can be reached.

        `RecordError`: the category of a record is switched off; nothing is stored.
        """
        self._access.append(records)

    def records(self, **scope: Any) -> list[Record]:
        """Return current records of this owner from the journal; see `journal.Scope`."""
        return self.folder.records(user_id=self.user_id, **scope)

    def manual_origin(self, strategy: str | None = None) -> Origin:
        """Return the origin of what is written through this client."""
        return Origin(
            user_id=self.user_id,
            strategy=MANUAL_STRATEGY if strategy is None else checked_strategy(strategy),
            mode=Mode.MANUAL,
            run_id=self.folder.settings.bot_id or Mode.MANUAL,
        )

    def deliver(self) -> bool:
        """Deliver what waits, for up to half a minute; return whether nothing waits any more."""
        return self._access.deliver()

    def _reached(self, filters: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Return a caller's filter with what this client is bound to."""
        return filters

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        self._access.close()

    def __getattr__(self, name: str) -> Any:
        instead = mission.METHODS.get(name)
        hint = f"; use {instead}" if instead else ""
        raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}.")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()
