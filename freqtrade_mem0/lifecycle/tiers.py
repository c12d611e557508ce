"""The tiers of a memory, and how much is in each."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.lifecycle.aging import is_in_archive
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.summary import TradeSummary

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    about_others = {kind for kind, each in record_types().items() if each.ages_as is None}
    patterns = set(filter(is_in_archive, record_types()))
    rows = memory.journal.connection.rows(
        "SELECT e.id, s.kind, coalesce(aged.state, 'hot'),"
        " coalesce(length(CAST(r.body AS BLOB)), 0) + coalesce(length(packed.body), 0)"
        " FROM evidence AS e CROSS JOIN scopes AS s ON s.number = e.scope"
        " LEFT JOIN aged ON aged.seq = e.seq LEFT JOIN records AS r ON r.seq = e.seq"
        " LEFT JOIN packed ON packed.number = r.seq WHERE e.is_current = 1"
    )
    for stored, kind, state, n_bytes in rows:
        if kind == TradeSummary.kind:
            tier = str(Tier.COLD)
        elif kind in about_others:
            continue
        elif kind in patterns:
            tier = str(Tier.ARCHIVE)
        else:
            tier = state if state in tiers else str(Tier.ARCHIVE)
        tiers[tier]["memories"] += 1
        tiers[tier]["bytes"] += n_bytes + in_mem0.get(id_of(stored), 0)
    (in_blocks,) = memory.journal.connection.row(
        "SELECT coalesce(sum(length(bodies)), 0) FROM blocks"
    )
    tiers[Tier.ARCHIVE]["bytes"] += in_blocks
    return tiers


def _sizes(memory: MemoryFolder) -> Mapping[str, int]:
    if not memory.delivers:
        return {}
    try:
        return memory.backend.sizes()
    except BackendError:
        return {}
