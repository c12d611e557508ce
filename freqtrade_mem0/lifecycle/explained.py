"""Why a memory stays or goes: its tier, its age, and each factor of its relevance."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.lifecycle.aging import (
    DAY_MS,
    age_ms,
    aging_kinds,
    only_own,
    retention_days,
    unused_ms,
)
from freqtrade_mem0.lifecycle.pruning import may_be_pruned
from freqtrade_mem0.lifecycle.relevance import BASE, relevance
from freqtrade_mem0.lifecycle.step import Work
from freqtrade_mem0.lifecycle.steps.relevance import may_go
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder


def explained(memory: MemoryFolder, beginning: str, now: datetime) -> dict[str, Any]:
    """Return what decides over one memory.

    Parameters
    ----------
    memory
        The memory.
    beginning
        Of the record's id.
    now
        Aware UTC.

    Raises
    ------
    RecordError
        No record, or more than one, that ages begins with this.
    """
    work = Work(
        memory=memory,
        now=now,
        dry_run=True,
        alone=False,
        progress=lambda *_: None,
        has_to_stop=lambda: False,
        pause=lambda _: None,
    )
    kinds, is_own = aging_kinds(), only_own(work)
    rows = [
        row
        for found in (memory.aged.with_memory, memory.aged.without_memory)
        for row in found(kinds, own_only=is_own)
        if row.id.startswith(beginning)
    ]
    if len(rows) != 1:
        raise RecordError(
            f"{len(rows) or 'No'} records that age begin with {brief(beginning)}. Give an id, or "
            "more of its first characters; 'freqtrade-mem0 records' lists them. A record that "
            "still waits for delivery does not age."
        )
    (row,) = rows
    factors = relevance(work, row, memory.journal.record(row.id))
    return {
        "id": row.id,
        "kind": row.kind,
        "category": row.category,
        "tier": "hot" if row.state is None else str(row.state),
        "age_days": age_ms(work, row) / DAY_MS,
        "unused_days": unused_ms(work, row) / DAY_MS,
        "asked": row.n_asked,
        "retention_days": retention_days(memory.settings, row),
        "base": BASE,
        **asdict(factors),
        "relevance": factors.score,
        "least_relevance": memory.settings.lifecycle.min_relevance_score,
        "may_go_by_relevance": may_go(work, row),
        "may_be_pruned": may_be_pruned(work, row),
    }
