"""The arguments of a recall: checked, turned into a filter, and answered by a backend."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.filters import parse_filters
from freqtrade_mem0.backends.payload import is_scope
from freqtrade_mem0.backends.port import Filters
from freqtrade_mem0.client.own_metadata import category_named, understood
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import as_utc
from freqtrade_mem0.records.kinds.removal import Removal
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.memory import BLOCK, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.backends.port import MemoryBackend
    from freqtrade_mem0.client.cache import CachedReads
    from freqtrade_mem0.records.memory import Memory

WINDOW_DAYS = 30.0
"""How far back `recent` looks by default."""

_HOURS_PER_DAY = 24.0
_MAX_WINDOW_DAYS = 36_500.0
_HIDDEN = (Retraction, Removal)
"""Kinds of records that are about other records; no answer shows them."""


class Strategy(StrEnum):
    """Which memories a recall returns; see `Mem0Client.recall`."""

    RELEVANT = "relevant"
    RECENT = "recent"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Checked arguments of a recall; with a query there is a limit.

    `filters` name one user and pass no memory of another.
    """

    filters: Filters
    query: str | None
    limit: int | None
    min_relevance: float


def question(
    user_id: str,
    category: str | None = None,
    query: str | None = None,
    *,
    limit: Any,
    filters: Mapping[str, Any] | None = None,
    strategy: str | None = None,
    min_relevance: float | None = None,
    window_days: float | None = None,
    now: datetime | None = None,
    where: str | None = None,
    max_memories: int | None = None,
    time_window_hours: float | None = None,
) -> Question:
    """Check the arguments of `Mem0Client.recall`, which says what they mean and what is raised.

    >>> question("me", "risk_profile", "leverage", limit=3).filters["category"]
    'risk_profile'
    """
    limit = limit if max_memories is None else max_memories
    if time_window_hours is not None:
        window_days = time_window_hours / _HOURS_PER_DAY
    asked = understood(filters or {})
    if where is not None:
        query, asked = _asked(where, query, asked)
    chosen = _strategy(strategy, query)
    if limit is not None and (not isinstance(limit, int) or limit < 1):
        raise RecordError(f"limit must be at least 1, got {limit!r}.")
    _refuse_mismatch(chosen, query, limit, min_relevance, window_days)
    own: Filters = {"user_id": user_id, "NOT": [{"kind": each.kind} for each in _HIDDEN]}
    if category is not None:
        own["category"] = str(category_named(category))
    if chosen is Strategy.RECENT:
        own["created_at"] = _window(WINDOW_DAYS if window_days is None else window_days, now)
    return Question(
        filters=_narrowed(own, asked),
        query=query,
        limit=limit,
        min_relevance=0.0 if min_relevance is None else min_relevance,
    )


def answers(backend: MemoryBackend | CachedReads, asked: Question) -> list[Memory]:
    """Return the memories that a backend has for a question."""
    if asked.query is None:
        newest = deque(backend.scan(filters=asked.filters), maxlen=asked.limit)
        return list(reversed(newest))
    assert asked.limit is not None  # noqa: S101 - `question` refuses a query without one
    found = backend.search(asked.query, filters=asked.filters, limit=asked.limit)
    return relevant(found, asked)


def relevant(found: list[Memory], asked: Question) -> list[Memory]:
    """Return the memories whose score is high enough."""
    return [each for each in found if (each.score or 0.0) >= asked.min_relevance]


def as_dict(memory: Memory) -> dict[str, Any]:
    """Return a memory as a new dict of plain values."""
    metadata = {key: value for key, value in memory.metadata.items() if key not in (RECORD, BLOCK)}
    return {
        "id": memory.id,
        "memory": memory.text,
        "content": memory.text,
        "score": memory.score,
        "timestamp": memory.created_at.isoformat(),
        "created_at": memory.created_at,
        "metadata": metadata,
    }


def checked_user(user_id: str) -> str:
    """Return the name of an owner; raise `RecordError` where it is none.

    >>> checked_user("*")
    Traceback (most recent call last):
    ...
    freqtrade_mem0.errors.RecordError: user_id must be a text without blanks, and not '*' (it \
means everybody), got '*'.
    """
    if not is_scope(user_id) or user_id == "*":
        raise RecordError(
            "user_id must be a text without blanks, and not '*' (it means everybody), "
            f"got {user_id!r}."
        )
    return user_id


def _asked(
    where: str, query: str | None, filters: dict[str, Any]
) -> tuple[str | None, dict[str, Any]]:
    """Return query and filters with what `where` adds to both."""
    from freqtrade_mem0.query.compile import read_query

    if not isinstance(where, str):
        raise RecordError(f"where must be a text, as in 'profit:>10.0', got {where!r}.")
    found = read_query(where)
    words = " ".join(each for each in (query, found.words) if each)
    return words or query, {"AND": [filters, found.filters]} if filters else found.filters


def _strategy(name: str | None, query: str | None) -> Strategy:
    if name is None:
        return Strategy.ALL if query is None else Strategy.RELEVANT
    try:
        return Strategy(name)
    except ValueError:
        raise RecordError(
            f"strategy {name!r} is unknown; there are {', '.join(Strategy)}."
        ) from None


def _refuse_mismatch(
    chosen: Strategy,
    query: str | None,
    limit: int | None,
    min_relevance: float | None,
    window_days: float | None,
) -> None:
    is_relevant = chosen is Strategy.RELEVANT
    if is_relevant and (query is None or limit is None):
        raise RecordError("strategy 'relevant' needs a query and a limit.")
    if not is_relevant and query is not None:
        raise RecordError(f"strategy '{chosen}' takes no query, got {query!r}; use 'relevant'.")
    if min_relevance is not None:
        if not is_relevant:
            raise RecordError(f"min_relevance goes with a query, and not with '{chosen}'.")
        if not 0.0 <= min_relevance <= 1.0:
            raise RecordError(f"min_relevance must lie in [0, 1], got {min_relevance}.")
    if window_days is not None:
        if chosen is not Strategy.RECENT:
            raise RecordError(f"window_days goes with strategy 'recent', and not with '{chosen}'.")
        if not 0.0 < window_days <= _MAX_WINDOW_DAYS:
            raise RecordError(
                f"window_days must lie in (0, {_MAX_WINDOW_DAYS:.0f}], got {window_days}."
            )


def _window(days: float, now: datetime | None) -> dict[str, str]:
    # Clocks of other machines may be ahead of ours: without a `now` there is no upper bound.
    until = datetime.now(UTC) if now is None else as_utc(now)
    window = {"gte": (until - timedelta(days=days)).isoformat()}
    return window if now is None else window | {"lte": until.isoformat()}


def _narrowed(own: Filters, filters: Mapping[str, Any]) -> Filters:
    """Return the filter that passes what both filters pass."""
    parse_filters(filters)
    for named in _users(filters):
        if named != own["user_id"]:
            raise RecordError(
                f"The filter names the user {named!r}, and this memory is that of "
                f"{own['user_id']!r}. Leave user_id out of filters; ask for another user by name."
            )
    if own.keys().isdisjoint(filters):
        return {**own, **filters}
    return {**own, "AND": [dict(filters)]}


def _users(filters: Mapping[str, Any]) -> Iterator[object]:
    for key, wanted in filters.items():
        if key == "user_id":
            yield wanted
        elif isinstance(wanted, list | tuple):
            for part in wanted:
                if isinstance(part, Mapping):
                    yield from _users(part)
