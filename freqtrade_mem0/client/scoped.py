"""A client bound to a user, a strategy, a bot: it reads and writes nothing else.

The service and other servers answer every question through it, so no route of theirs has to
remember whose memory it may show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.archive.export import Wanted, export
from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.client.memories import Memories
from freqtrade_mem0.errors import ScopeError
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.views import decisions, forgetting, records, stats

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.views.values import Facts


WHOLE_MEMORY = (
    "This is about the whole memory, and your key is bound to a part of it. Use a key that is not "
    "bound to a user, strategy or bot."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """What a key is bound to; None is not bound.

    Parameters
    ----------
    user_id, strategy
        The owner and the strategy of records.
    bot_id
        The run id of records, which for a bot is its name.
    """

    user_id: str | None = None
    strategy: str | None = None
    bot_id: str | None = None

    @property
    def is_free(self) -> bool:
        """Whether everything is meant."""
        return self == Bound()

    @property
    def is_whole_user(self) -> bool:
        """Whether everything of a user is meant."""
        return self.strategy is None and self.bot_id is None


class ScopedClient(Mem0Client):
    """A client over the opened memory of another one.

    Parameters
    ----------
    client
        The client whose memory is used; closing one closes both.
    bound
        What it is bound to.
    user_id
        Whose memory; None for the bound user, else that of the client.

    Raises
    ------
    ScopeError
        It is bound to another user.
    """

    def __init__(self, client: Mem0Client, bound: Bound, user_id: str | None = None) -> None:
        owner = _narrowed("user", bound.user_id, user_id) or client.user_id
        self.__dict__.update(Mem0Client.for_user(client, owner).__dict__)
        self.memories = Memories(self.recall)
        self.bound = bound

    @property
    def place(self) -> str:
        """Where the memory is, in words: what a key does not reach it is not told."""
        return super().place if self.bound.is_free else "the part of this memory in reach"

    def for_user(self, user_id: str) -> ScopedClient:
        """Return a client with the same bounds for another owner; `ScopeError`: out of reach."""
        return ScopedClient(self, self.bound, user_id)

    def scope(
        self, *, strategy: str | None = None, run_id: str | None = None, **named: Any
    ) -> Scope:
        """Return the part of what is in reach that has these values; None is any.

        `ScopeError`: it is out of reach.
        """
        return super().scope(
            strategy=_narrowed("strategy", self.bound.strategy, strategy),
            run_id=_narrowed("bot", self.bound.bot_id, run_id),
            **named,
        )

    def manual_origin(self, strategy: str | None = None) -> Origin:
        """Return the origin of what is written through this client."""
        own = super().manual_origin(_narrowed("strategy", self.bound.strategy, strategy))
        return own if self.bound.bot_id is None else replace(own, run_id=self.bound.bot_id)

    def records(self, **scope: Any) -> list[Record]:
        """Return current records in reach; see `journal.Scope`."""
        modes = scope.pop("modes", None)
        asked = replace(self.scope(**scope), modes=modes)
        return [record for _, record in self.folder.journal.records(asked)]

    def listing(self, scope: Scope, limit: int, where: str | None = None) -> list[Facts]:
        """Return the newest records of a scope from `scope`, as `views.records`."""
        return records.records(self.folder, scope, limit, where)

    def ledger(self, scope: Scope, limit: int, where: str | None = None) -> list[Facts]:
        """Return the newest decisions of a scope from `scope`, as `views.decisions`."""
        return decisions.ledger(self.folder, scope, limit=limit, where=where)

    def decision_and_trade(self, wanted: str) -> tuple[Decision | None, TradeRecord | None]:
        """Return a decision and its trade, as `Journal`; out of reach they are as not there."""
        decision, trade = self.folder.journal.decision_and_trade(wanted)
        about = decision or trade
        try:
            if about is not None:
                self._check(about.origin)
        except ScopeError:
            return None, None
        return decision, trade

    def why(self, wanted: str) -> Facts:
        """Return a decision in reach with its explanation, as `views.decisions`."""
        return decisions.why(self.folder, self.reach, wanted)

    def export(self, target: Path, where: str | None = None) -> dict[str, int]:
        """Export what is in reach to a file; see `archive.export`."""
        wanted = Wanted(scope=self.reach, where=where)
        return export(self.folder, target, wanted, datetime.now(UTC))

    def update(
        self, memory_id: str, text: str | None = None, metadata: Mapping[str, Any] | None = None
    ) -> bool:
        """Change a memory in reach; see `Mem0Client.update`."""
        if isinstance(strategy := (metadata or {}).get("strategy"), str):
            _narrowed("strategy", self.bound.strategy, strategy)
        return self._reaches(memory_id) and super().update(memory_id, text, metadata)

    def delete(self, memory_id: str) -> bool:
        """Delete a memory in reach; see `Mem0Client.delete`."""
        return self._reaches(memory_id) and super().delete(memory_id)

    def retract(self, memory_id: str, reason: str = "taken back by hand") -> bool:
        """Take a record in reach out of evidence; see `Mem0Client.retract`."""
        return self._reaches(memory_id) and super().retract(memory_id, reason)

    def forget(self, *, strategy: str | None = None, run_id: str | None = None) -> Facts:
        """Delete what is in reach, or a part of it; see `Mem0Client.forget`."""
        asked = self.scope(strategy=strategy, run_id=run_id)
        return super().forget(strategy=asked.strategy, run_id=asked.run_id)

    def planned(self, *, strategy: str | None = None, run_id: str | None = None) -> Facts:
        """Return how much `forget` would delete (`would_delete`, by place)."""
        return forgetting.planned(self.folder, self.forgettable(strategy, run_id))

    def forgettable(self, strategy: str | None, run_id: str | None) -> ForgetScope:
        """Return what `forget` would delete; `ScopeError`: it is out of reach."""
        asked = self.scope(strategy=strategy, run_id=run_id)
        return ForgetScope(user_id=self.user_id, strategy=asked.strategy, run_id=asked.run_id)

    def stats(self) -> Facts:
        """Return how many records in reach are where; see `views.stats`."""
        if self.bound.is_free:
            return super().stats()
        counts = self.folder.journal.counts(scope=self.reach)
        return {"journal": stats.summary(counts)}

    def in_mem0(self) -> Facts:
        """Return which store Mem0 uses, and how many memories in reach are there.

        `BackendError`: it can not be asked.
        """
        if not self.folder.delivers:
            return {"status": "not used", "backend": None, "memories": 0}
        named = {
            "user_id": self.user_id,
            "agent_id": self.bound.strategy,
            "run_id": self.bound.bot_id,
        }
        filters = {key: value for key, value in named.items() if value is not None}
        backend = self.folder.backend
        n_memories = backend.count(filters=filters).get((), 0)
        return {"status": "ok", "backend": backend.name, "memories": n_memories}

    def extract_patterns(self, now: datetime | None = None) -> list[dict[str, Any]]:
        """As `Mem0Client.extract_patterns`, for a client that is not bound."""
        self._refuse_bound()
        return super().extract_patterns(now)

    def execute_pruning_cycle(
        self, *, dry_run: bool = False, now: datetime | None = None
    ) -> dict[str, Any]:
        """As `Mem0Client.execute_pruning_cycle`, for a client that is not bound."""
        self._refuse_bound()
        return super().execute_pruning_cycle(dry_run=dry_run, now=now)

    def collect_metrics(self) -> dict[str, Any]:
        """As `Mem0Client.collect_metrics`, for a client that is not bound."""
        self._refuse_bound()
        return super().collect_metrics()

    def append(self, *records: Record) -> None:
        """Write records; `ScopeError`: one of them, or what it replaces, is out of reach."""
        for record in records:
            self._check(record.origin)
            if self.folder.journal.is_current(record.id) and not self._reaches(record.id):
                raise ScopeError(
                    f"The id of this {record.kind} is taken by one out of reach of this key. Use "
                    "another id."
                )
        super().append(*records)

    def _reached(self, filters: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
        """Narrow what `recall`, `recall_many` and `preload` find."""
        named = {"agent_id": self.bound.strategy, "run_id": self.bound.bot_id}
        own: list[Any] = [{key: value} for key, value in named.items() if value is not None]
        return {"AND": [*own, *([dict(filters)] if filters else [])]} if own else filters

    def _refuse_bound(self) -> None:
        if not self.bound.is_free:
            raise ScopeError(WHOLE_MEMORY)

    def _check(self, origin: Origin) -> None:
        _narrowed("user", self.user_id, origin.user_id)
        _narrowed("strategy", self.bound.strategy, origin.strategy)
        _narrowed("bot", self.bound.bot_id, origin.run_id)

    def _reaches(self, memory_id: str) -> bool:
        """Return whether a memory is in reach; where it is not, it is as if it were not there."""
        record = self.folder.journal.record(memory_id)
        if record is None:  # then only Mem0 may know it, and only whose it is
            return self.bound.is_whole_user
        try:
            self._check(record.origin)
        except ScopeError:
            return False
        return True


def _narrowed(what: str, bound: str | None, wanted: str | None) -> str | None:
    """Return the value that counts; raise `ScopeError` where another than the bound is wanted."""
    if bound is not None and wanted not in {None, bound}:
        raise ScopeError(
            f"This key is bound to the {what} {bound!r} and does not reach {wanted!r}. Leave the "
            f"{what} out, or use another key."
        )
    return wanted if bound is None else bound
