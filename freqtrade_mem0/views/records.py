"""Records of the journal, and memories found by a search in Mem0."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.payload import as_filterable
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.query.compile import read_query
from freqtrade_mem0.recall.priors import promotions, waiting
from freqtrade_mem0.records.kinds.failure import Failure
from freqtrade_mem0.records.kinds.opportunity import Opportunity
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.records.memory import BLOCK, RECORD
from freqtrade_mem0.views.values import Facts, execution_facts, iso, origin_facts

if TYPE_CHECKING:
    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.memory import Memory

_OF_A_TRADE = (
    "pair",
    "side",
    "open_date",
    "close_date",
    "open_rate",
    "close_rate",
    "amount",
    "stake_amount",
    "profit_ratio",
    "profit_abs",
    "fee_open",
    "fee_close",
    "funding_fees",
    "exit_reason",
    "enter_tag",
    "leverage",
    "is_evidence",
    "decision_id",
)


def records(
    memory: MemoryFolder, scope: Scope, limit: int | None = None, where: str | None = None
) -> list[Facts]:
    """Return the current records of a scope in order of arrival; the newest `limit` of them.

    `where` is a query without free words that they must pass; `RecordError` where it is wrong.
    """
    if where is None:
        return [record_facts(record) for _, record in memory.journal.records(scope, limit=limit)]
    node = parse_filters(read_query(where, takes_words=False).filters)
    passing = (
        record
        for _, record in memory.journal.records(scope)
        if matches(node, as_filterable(to_memory(record, with_json=False)))
    )
    return [record_facts(record) for record in deque(passing, maxlen=limit)]


def search(
    memory: MemoryFolder,
    query: str,
    *,
    filters: dict[str, str | None],
    limit: int,
    where: str | None = None,
) -> list[Facts]:
    """Return the owner's memories in Mem0 that match a query best, best first.

    `filters` are values that a memory must have in its metadata, by key; None allows any value.
    `where` is a query in the query language, whose free words are added to `query`. Without any
    words the newest memories are returned, newest first.

    Raises
    ------
    RecordError
        There is no word to search for and no condition, or `where` is wrong.
    BackendError
        Mem0 can not be asked.
    """
    wanted: Filters = {"user_id": memory.settings.user_id}
    wanted |= {key: value for key, value in filters.items() if value is not None}
    if where is not None:
        asked = read_query(where)
        query = f"{query} {asked.words}".strip()
        wanted["AND"] = [asked.filters]
        if not query:
            newest = deque(memory.backend.scan(filters=wanted), maxlen=limit)
            return _answered(memory, list(reversed(newest)))
    if not any(character.isalnum() for character in query):
        raise RecordError(f"There is no word in the query {query!r} to search for.")
    return _answered(memory, memory.backend.search(query, filters=wanted, limit=limit))


def priors(memory: MemoryFolder, strategy: str | None = None) -> list[Facts]:
    """Return the promoted runs that a strategy reads as priors; None for every strategy's.

    Those with `is_waiting` were promoted elsewhere: they have no effect until they are accepted.
    """
    journal, owner = memory.journal, memory.settings.user_id
    return [
        {
            "id": promotion.id,
            "is_waiting": is_waiting,
            "strategy": promotion.origin.strategy,
            "source_strategy": promotion.source_strategy,
            "source_mode": str(promotion.source_mode),
            "source_run_id": promotion.source_run_id,
            "promoted_at": iso(promotion.known_at),
            "provenance": promotion.provenance,
        }
        for is_waiting, read in ((False, promotions), (True, waiting))
        for promotion in read(journal, owner, strategy)
    ]


def record_facts(record: Record) -> Facts:
    """Return a record as plain values."""
    facts: Facts = {"id": record.id, "kind": record.kind}
    if isinstance(record, TradeRecord):
        facts |= {name: getattr(record, name) for name in _OF_A_TRADE}
        facts |= {
            "open_date": iso(record.open_date),
            "close_date": iso(record.close_date),
            "situation": dict(record.situation),
            "execution": execution_facts(record),
        }
        if record.told is not None:
            facts |= dict.fromkeys(record.told.unknown)
            facts |= {"trade_id": record.told.trade_id, "metadata": dict(record.told.metadata)}
    elif isinstance(record, Failure | Opportunity):
        facts |= asdict(record) | {"id": record.id}
        del facts["origin"]
    return (
        facts
        | {"category": str(record.category), "text": record.sentence()}
        | origin_facts(record.origin)
        | {
            "user_id": record.origin.user_id,
            "known_at": iso(record.known_at),
            "recorded_at": iso(record.recorded_at),
        }
    )


def _answered(memory: MemoryFolder, found: list[Memory]) -> list[Facts]:
    memory.asked.count((each.id for each in found), datetime.now(UTC))
    return [_memory_facts(each) for each in found]


def _memory_facts(memory: Memory) -> Facts:
    return {
        "id": memory.id,
        "score": memory.score,
        "text": memory.text,
        "created_at": iso(memory.created_at),
        "metadata": {
            key: value for key, value in memory.metadata.items() if key not in (RECORD, BLOCK)
        },
    }
