"""Keep the promises of `MemoryBackend` over vector stores of Mem0's.

Those stores disagree about ids written twice, filters, order and limits. So ids are looked up
before they are written; the store's own filter gets only equality of texts, and everything else is
filtered, ordered and counted here. Qdrant is asked through its own client, page by page
(`foreign_qdrant`); the others through Mem0's methods, one id at a time and all rows at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.in_process import foreign_qdrant
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.records.memory import Memory

_MOST_ROWS = 1_000_000  # without a number, Mem0's stores return 20 or 100
_GROWTH = 8


def prepare(store: Any) -> None:
    """Make a store ready to be asked for what is new."""
    if foreign_qdrant.is_qdrant(store):
        foreign_qdrant.index(store)


def upsert(store: Any, payloads: dict[str, dict[str, Any]], vectors: Sequence[Any]) -> None:
    """Insert what is new, update what changed; some stores double or refuse a known id."""
    if foreign_qdrant.is_qdrant(store):
        there = foreign_qdrant.payloads_of(store, list(payloads))
        pairs = zip(payloads.items(), vectors, strict=True)
        changed = [
            (each, vector, fields)
            for (each, fields), vector in pairs
            if each not in there or _content(there[each]) != _content(fields)
        ]
        if changed:
            ids, fresh, kept = zip(*changed, strict=True)
            foreign_qdrant.put(store, ids, fresh, kept)
        return
    new: list[tuple[Any, dict[str, Any], str]] = []
    for (each, fields), vector in zip(payloads.items(), vectors, strict=True):
        known = store.get(vector_id=each)
        if known is None:
            new.append((vector, fields, each))
        elif _content(known.payload) != _content(fields):
            # Chroma keeps keys that the new payload lacks, unless they are given as None.
            gone = dict.fromkeys(key for key in known.payload if key not in fields)
            store.update(vector_id=each, vector=vector, payload=gone | fields)
    if new:
        fresh, kept, ids = zip(*new, strict=True)
        store.insert(vectors=list(fresh), payloads=list(kept), ids=list(ids))


def search(memory: Any, query: str, *, filters: Filters, limit: int, rerank: bool) -> list[Memory]:
    """Search through Mem0; ask for more while our filter leaves too few."""
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
        if len(found) >= limit or len(items) < n_asked:
            return found[:limit]
        if n_asked >= _MOST_ROWS:
            raise _too_many()
        n_asked = min(_GROWTH * n_asked, _MOST_ROWS)


def scan(store: Any, filters: Filters, since: datetime | None = None) -> list[Memory]:
    """Return every memory that passes and was stored at `since` or later, by `(created_at, id)`.

    Raises `BackendError` where the store holds more rows than can be read at once.
    """
    node = parse_filters(payload.stored_since(filters, since))
    memories = (payload.from_payload(*row) for row in _rows(store, filters, since))
    found = [each for each in memories if matches(node, payload.as_filterable(each))]
    return sorted(found, key=lambda each: (each.created_at, each.id))


def _rows(
    store: Any, filters: Filters, since: datetime | None
) -> Iterable[tuple[str, dict[str, Any]]]:
    scopes = {key: value for key, value in _text_equalities(filters).items() if key in SCOPE_KEYS}
    if foreign_qdrant.is_qdrant(store):
        return foreign_qdrant.rows(store, scopes, filters, since)
    answer = store.list(filters=scopes or None, top_k=_MOST_ROWS)
    # Some stores return a list of rows, others a list or tuple that starts with it.
    rows = answer[0] if len(answer) > 0 and isinstance(answer[0], list | tuple) else answer
    if len(rows) >= _MOST_ROWS:
        raise _too_many()
    return ((row.id, row.payload or {}) for row in rows)


def delete(memory: Any, memory_ids: Sequence[str]) -> int:
    """Delete what is there; return how many that was."""
    store = memory.vector_store
    ids = list(dict.fromkeys(memory_ids))
    if foreign_qdrant.is_qdrant(store):
        there = list(foreign_qdrant.payloads_of(store, ids))
        foreign_qdrant.delete(store, there)
        return len(there)
    n_deleted = 0
    for each in ids:
        if store.get(vector_id=each) is not None:
            memory.delete(each)
            n_deleted += 1
    return n_deleted


def close(store: Any) -> None:
    """Close what a store holds open; Mem0 itself never does."""
    for holder in (store, getattr(store, "client", None), getattr(store, "connection_pool", None)):
        closes = getattr(holder, "close", None)
        if callable(closes):
            closes()


def _content(fields: dict[str, Any]) -> dict[str, Any]:
    """Return a payload without the time it was stored at and without empty keys."""
    return {
        key: value for key, value in fields.items() if key != "updated_at" and value is not None
    }


def _too_many() -> BackendError:
    return BackendError(
        f"This store holds {_MOST_ROWS:,} memories or more, which can not be read completely. "
        "Use our own store (leave vector_store out), PostgreSQL or Qdrant instead.",
        permanent=True,
    )


def _text_equalities(filters: Filters) -> Filters:
    """Return the conditions that every store of Mem0 applies correctly."""
    return {
        key: value
        for key, value in filters.items()
        if isinstance(value, str)
        and value != "*"
        and (key not in SCOPE_KEYS or payload.is_scope(value))
    }
