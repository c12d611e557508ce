"""Memories for a page: the newest that pass a query, those that a search finds, and one of them."""

from __future__ import annotations

import heapq
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.payload import as_filterable
from freqtrade_mem0.query.compile import is_like_a_query, read_query
from freqtrade_mem0.records.kinds.removal import Removal
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.views.records import record_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.client.scoped import ScopedClient
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.views.values import Facts

MOST_LOOKED_AT = 5_000
"""Newest records that are compared with a query: a page does not wait for a million of them."""


_ABOUT_OTHERS = (Retraction.kind, Removal.kind)


class Found(NamedTuple):
    """What a page shows: newest, or best, first.

    `n_looked_at` records were compared with the query; `is_whole` says whether these are all.
    """

    memories: list[Facts]
    n_looked_at: int
    is_whole: bool


def newest_records(journal: Journal, scope: Scope, limit: int) -> list[Record]:
    """Return the records of a scope that became known last, the newest first.

    It asks the index of each run and kind, and walks over no others: in a large journal there may
    be few of a kind.
    """
    if not journal.path.exists():
        return []
    where, values = replace(scope, pair=None).where()
    connection = journal.connection
    numbers = connection.rows(f"SELECT number FROM scopes WHERE {where}", values)  # noqa: S608
    query = (
        "SELECT known_ms, seq FROM evidence INDEXED BY evidence_scope"
        " WHERE scope = ? AND is_current = 1 ORDER BY known_ms DESC LIMIT ?"
    )
    found = heapq.nlargest(
        limit, (row for (number,) in numbers for row in connection.rows(query, [number, limit]))
    )
    records = journal.records_at([seq for _, seq in found])
    return [records[seq] for _, seq in found if seq in records]


def newest(memory: ScopedClient, scope: Scope, query: str, category: str, limit: int) -> Found:
    """Return the newest records of a scope that pass a query without free words.

    `RecordError`: the query is wrong.
    """
    node = parse_filters(read_query(query, takes_words=False).filters) if query else None
    most = MOST_LOOKED_AT if query or category else limit
    found: list[Facts] = []
    n = 0
    rows = newest_records(memory.folder.journal, scope, most)
    for n, record in enumerate(rows, 1):  # noqa: B007 - counted
        is_hidden = scope.kind is None and record.kind in _ABOUT_OTHERS
        if is_hidden or (category and str(record.category) != category):
            continue
        if node is None or matches(node, as_filterable(to_memory(record, with_json=False))):
            found.append(record_facts(record))
            if len(found) == limit:
                break
    return Found(found, n, is_whole=len(rows) < most)


def has_words(query: str) -> bool:
    """Return whether a query has words to search for; `RecordError` where it is wrong."""
    return bool(query) and (not is_like_a_query(query) or bool(read_query(query).words))


def searched(
    memory: ScopedClient,
    query: str,
    filters: Mapping[str, Any] | None,
    category: str | None,
    limit: int,
) -> Found:
    """Return what a search by words finds, best first; the query may have conditions, too."""
    asked: dict[str, Any] = {"where": query} if is_like_a_query(query) else {"query": query}
    found = memory.recall(category, limit=limit, filters=filters, **asked)
    shown = [
        {
            "id": each["id"],
            "text": each["content"],
            "score": each.get("score"),
            "kind": each["metadata"].get("kind") or each["metadata"].get("type") or "memory",
            "category": each["metadata"].get("category"),
            "known_at": each.get("created_at"),
            "strategy": each["metadata"].get("strategy") or each["metadata"].get("agent_id"),
            "run_id": each["metadata"].get("run_id"),
        }
        for each in found
    ]
    return Found(shown, len(shown), is_whole=True)


def record_of(memory: ScopedClient, record_id: str) -> Facts | None:
    """Return a record in reach; None where there is none."""
    record = memory.folder.journal.record(record_id)
    if record is None:
        return None
    reach, origin = memory.reach, record.origin
    asked = replace(reach, kind=None)
    is_in_reach = all(
        wanted in {None, own}
        for wanted, own in (
            (asked.user_id, origin.user_id),
            (asked.strategy, origin.strategy),
            (asked.run_id, origin.run_id),
        )
    )
    return record_facts(record) if is_in_reach else None
