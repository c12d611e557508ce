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


def measured(memory: MemoryFolder) -> dict[str, dict[str, int]]:
    """Return `{tier: {"memories": n, "bytes": n}}`, counted in the journal."""
    tiers = {str(tier): {"memories": 0, "bytes": 0} for tier in Tier}
    row = memory.journal.connection.row(
        "SELECT count(*), coalesce(sum(length(CAST(body AS BLOB))), 0) FROM records"
        " WHERE is_current = 1"
    )
    tiers[Tier.HOT] = {"memories": row[0], "bytes": row[1]}
    return tiers
