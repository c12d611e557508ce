"""The tiers of a memory, and how much is in each."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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


_BODIES = {
    Tier.HOT: "SELECT count(*), coalesce(sum(length(CAST(body AS BLOB))), 0) FROM records"
    " WHERE is_current = 1 AND body <> ''",
    Tier.WARM: "SELECT count(*), coalesce(sum(length(packed.body)), 0) FROM packed"
    " JOIN records ON records.seq = packed.number WHERE is_current = 1",
    Tier.ARCHIVE: "SELECT (SELECT count(*) FROM evidence WHERE is_archived = 1 AND is_current = 1),"
    " (SELECT coalesce(sum(length(bodies)), 0) FROM blocks)",
}
"""What counts the bodies of records, and their bytes."""


def measured(memory: MemoryFolder) -> dict[str, dict[str, int]]:
    """Return `{tier: {"memories": n, "bytes": n}}`, counted in the journal."""
    tiers = {str(tier): {"memories": 0, "bytes": 0} for tier in Tier}
    for tier, query in _BODIES.items():
        n, n_bytes = memory.journal.connection.row(query)
        tiers[tier] = {"memories": n, "bytes": n_bytes}
    return tiers
