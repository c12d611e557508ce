"""Stores that are not ours: what they do differently is made good on our side.

Mem0's stores disagree about ids written twice, about filters, order and limits. So ids are looked
up before they are written, only equality of texts is left to the store's own filter, and everything
else is filtered, ordered and counted here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.port import SCOPE_KEYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.records.memory import Memory

_EVERYTHING = 1_000_000  # rows; Mem0's stores want a number and take 20 or 100 where there is none
_MOST_CANDIDATES = 4_096
_GROWTH = 8


def upsert(store: Any, payloads: dict[str, dict[str, Any]], vectors: Sequence[Any]) -> None:
    """Insert what is new and update what changed; some stores double or refuse a known id."""
    new: list[tuple[Any, dict[str, Any], str]] = []
    for (each, fields), vector in zip(payloads.items(), vectors, strict=True):
        there = store.get(vector_id=each)
        if there is None:
            new.append((vector, fields, each))
        elif there.payload != fields:
            store.update(vector_id=each, vector=vector, payload=fields)
    if new:
        fresh, fields_of_new, ids = zip(*new, strict=True)
        store.insert(vectors=list(fresh), payloads=list(fields_of_new), ids=list(ids))


def search(memory: Any, query: str, *, filters: Filters, limit: int, rerank: bool) -> list[Memory]:
    """Search through Mem0, asking for more as long as our filter leaves too few."""
    node = parse_filters(filters)
    # Mem0 wants a scope as plain text; the wildcard lets our own filter decide.
    wildcards = {key: "*" for key in SCOPE_KEYS if key in filters}
    sent = wildcards | _text_equalities(filters)
    n_asked = limit
    while True:
        items = memory.search(
            query, filters=sent, top_k=n_asked, threshold=0.0, rerank=rerank, show_expired=True
        )["results"]
        found = [payload.from_item(item) for item in items]
        found = [each for each in found if matches(node, payload.as_filterable(each))]
        if len(found) >= limit or len(items) < n_asked or n_asked >= _MOST_CANDIDATES:
            return found[:limit]
        n_asked = min(_GROWTH * n_asked, _MOST_CANDIDATES)


def scan(store: Any, filters: Filters) -> list[Memory]:
    """Return every memory that passes, by `(created_at, id)`."""
    node = parse_filters(filters)
    scopes = {key: value for key, value in _text_equalities(filters).items() if key in SCOPE_KEYS}
    answer = store.list(filters=scopes or None, top_k=_EVERYTHING)
    # A list of rows, or that as the first of several things (Qdrant adds an offset).
    rows = answer[0] if len(answer) > 0 and isinstance(answer[0], list | tuple) else answer
    memories = (payload.from_payload(row.id, row.payload or {}) for row in rows)
    found = [each for each in memories if matches(node, payload.as_filterable(each))]
    return sorted(found, key=lambda each: (each.created_at, each.id))


def delete(memory: Any, memory_ids: Sequence[str]) -> int:
    """Delete one by one through Mem0, which also keeps its entities in order."""
    n_deleted = 0
    for each in dict.fromkeys(memory_ids):
        if memory.vector_store.get(vector_id=each) is not None:
            memory.delete(each)
            n_deleted += 1
    return n_deleted


def close(store: Any) -> None:
    """Close what a store holds open; Mem0 itself never does."""
    for holder in (store, getattr(store, "client", None), getattr(store, "connection_pool", None)):
        closes = getattr(holder, "close", None)
        if callable(closes):
            closes()


def _text_equalities(filters: Filters) -> Filters:
    """Return the conditions that every store of Mem0 gets right."""
    return {
        key: value
        for key, value in filters.items()
        if isinstance(value, str)
        and value != "*"
        and (key not in SCOPE_KEYS or payload.is_scope(value))
    }
