"""The tiers of a memory, and how much is in each."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.lifecycle.aging import is_in_archive
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.summary import TradeSummary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.memory_folder import MemoryFolder


class Tier(StrEnum):
    """How much of a memory is kept."""

    HOT = "hot"
    """Everything."""
    WARM = "warm"
    """The record compressed, the vector in bytes."""
    COLD = "cold"
    """No memory of its own: a summary stands for it."""
    ARCHIVE = "archive"
    """The facts alone, and patterns."""


def measured(memory: MemoryFolder) -> dict[str, dict[str, int]]:
    """Return `{tier: {"memories": n, "bytes": n}}`: records, and what they take in their tier.

    Bytes are those of the record in the journal and, where the store tells them, of its memory in
    Mem0. Summaries are cold; what was pruned is in the archive.
    """
    in_mem0 = _sizes(memory)
    tiers = {str(tier): {"memories": 0, "bytes": 0} for tier in Tier}
    rows = memory.journal.connection.rows(
        "SELECT e.id, s.kind, coalesce(aged.state, 'hot'),"
        " coalesce(length(CAST(r.body AS BLOB)), 0) + coalesce(length(packed.body), 0)"
        " FROM evidence AS e CROSS JOIN scopes AS s ON s.number = e.scope"
        " LEFT JOIN aged ON aged.seq = e.seq LEFT JOIN records AS r ON r.seq = e.seq"
        " LEFT JOIN packed ON packed.number = r.seq WHERE e.is_current = 1"
    )
    for stored, kind, state, n_bytes in rows:
        tier = _tier(kind, state)
        if tier is None:
            continue
        tiers[tier]["memories"] += 1
        tiers[tier]["bytes"] += n_bytes + in_mem0.get(id_of(stored), 0)
    (in_blocks,) = memory.journal.connection.row(
        "SELECT coalesce(sum(length(bodies)), 0) FROM blocks"
    )
    tiers[Tier.ARCHIVE]["bytes"] += in_blocks
    return tiers


def counted(journal: Journal) -> dict[tuple[str, str], int]:
    """Return how many records there are, by tier and category."""
    # An index alone counts all rows; what is not current, or aged, is taken off.
    rows = journal.connection.rows(
        "SELECT s.kind, s.category, c.state, sum(c.n) FROM ("
        " SELECT scope, 'hot' AS state, count(*) AS n FROM evidence INDEXED BY evidence_scope"
        " GROUP BY scope UNION ALL"
        " SELECT scope, 'hot', -count(*) FROM evidence NOT INDEXED WHERE is_current = 0"
        " GROUP BY scope UNION ALL"
        " SELECT e.scope, aged.state, count(*) FROM aged CROSS JOIN evidence AS e"
        " ON e.seq = aged.seq WHERE e.is_current = 1 GROUP BY 1, 2"
        ") AS c CROSS JOIN scopes AS s ON s.number = c.scope GROUP BY 1, 2, 3"
    )
    found: Counter[tuple[str, str]] = Counter()
    for kind, category, state, n in rows:
        moved = ((Tier.HOT, -n), (state, n)) if state != Tier.HOT else ((state, n),)
        for each, change in moved:
            tier = _tier(kind, each)
            if tier is not None:
                found[tier, category] += change
    return dict(+found)


def _tier(kind: str, state: str) -> str | None:
    """Return the tier of a record; None for one that is about others."""
    if kind == TradeSummary.kind:
        return Tier.COLD
    if kind in _about_others():
        return None
    if is_in_archive(kind):
        return Tier.ARCHIVE
    return state if state in set(Tier) else Tier.ARCHIVE


@cache
def _about_others() -> frozenset[str]:
    return frozenset(kind for kind, each in record_types().items() if each.ages_as is None)


def _sizes(memory: MemoryFolder) -> Mapping[str, int]:
    if not memory.delivers:
        return {}
    try:
        return memory.backend.sizes()
    except BackendError:
        return {}
