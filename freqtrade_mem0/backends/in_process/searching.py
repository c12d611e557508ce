"""Search our own store by meaning and words, and other stores through Mem0; renew old vectors."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder
from freqtrade_mem0.backends.in_process.semantic import SemanticEmbedder
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.backends.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.backends.in_process.mem0_setup import Parts
    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.records.memory import Memory


def find(parts: Parts, query: str, words: str, *, filters: Filters, limit: int) -> list[Memory]:
    """Search our SQLite store; `words` is the query as Mem0 prepares it for keyword search."""
    vector = parts.embedder.embed(query, "search")
    rows = parts.store.find(words, vector, limit, filters)
    # As Mem0 does, leave out what has no text.
    found = (row for row in rows if row.payload["data"])
    return [payload.from_payload(row.id, row.payload, row.score) for row in found]


def through_mem0(
    memory: Any, query: str, *, filters: Filters, limit: int, rerank: bool
) -> list[Memory]:
    """Search our PostgreSQL store, or either of ours with a reranker, by Mem0's own ranking."""
    items = memory.search(
        query,
        filters=_shielded(filters),
        top_k=limit,
        threshold=0.0,
        rerank=rerank,
        show_expired=True,
    )
    return [payload.from_item(item) for item in items["results"]]


def vectors_of(embedder: Any, texts: Sequence[str]) -> Sequence[Any]:
    """Return vectors for our stores, as arrays where the embedder is ours: lists cost time."""
    if isinstance(embedder, HashingEmbedder | SemanticEmbedder):
        return list(embedder.embed_matrix(texts))
    vectors: Sequence[Any] = embedder.embed_batch(texts, "add")
    return vectors


def renews_by_itself(parts: Parts) -> bool:
    """Tell whether old vectors are made anew beside other work: by the semantic embedder only.

    So processes with different embedders never undo each other's vectors all the time.
    """
    return isinstance(parts.store, SqliteStore) and isinstance(parts.embedder, SemanticEmbedder)


def renew(parts: Parts, limit: int) -> int:
    """Make up to `limit` vectors of other embedders anew where the store is our SQLite file."""
    if not isinstance(parts.store, SqliteStore):
        return 0
    return parts.store.renew(partial(vectors_of, parts.embedder), limit)


def _shielded(filters: Filters) -> Filters:
    """Return the filter in the one form that `Memory.search` hands to the store unchanged.

    Mem0 flattens AND, lets conditions on the same key overwrite each other, and wants scopes as
    plain texts. It does not touch lists inside an OR.
    """
    sent: Filters = {}
    rest: Filters = {}
    for key, value in filters.items():
        is_plain = key in SCOPE_KEYS and payload.is_scope(value)
        if key in SCOPE_KEYS:
            sent[key] = value if is_plain else "*"  # any other condition implies it
        if not is_plain:
            rest[key] = value
    return {**sent, "OR": [{"AND": [rest]}]} if rest else sent
