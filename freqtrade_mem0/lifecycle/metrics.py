"""Facts about a memory's tiers and use, as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.aged import PRUNED
from freqtrade_mem0.lifecycle.tiers import measured

if TYPE_CHECKING:
    from freqtrade_mem0.memory_folder import MemoryFolder

_MOST_ASKED = 10
_PATTERN = "pattern"


def metrics(memory: MemoryFolder) -> dict[str, Any]:
    """Return what `Mem0Client.collect_metrics` returns."""
    connection = memory.journal.connection
    tiers = measured(memory)
    total = sum(tier["memories"] for tier in tiers.values())
    counts = memory.journal.counts()
    categories: dict[str, int] = {}
    for (_, category, _), n in counts.items():
        categories[category] = categories.get(category, 0) + n
    states = memory.aged.counts()
    pruned = {str(state): states.get(state, 0) for state in PRUNED}
    n_asked, n_ids = connection.row("SELECT coalesce(sum(n), 0), count(*) FROM asked")
    most = connection.rows(f"SELECT id, n FROM asked ORDER BY n DESC, id LIMIT {_MOST_ASKED}")  # noqa: S608
    return {
        "total_memories": total,
        "tier_distribution": {tier: each["memories"] for tier, each in tiers.items()},
        "category_distribution": dict(sorted(categories.items())),
        "pattern_count": sum(n for (kind, _, _), n in counts.items() if kind == _PATTERN),
        "pruning": {"total_pruned": sum(pruned.values()), **pruned},
        "pruning_efficiency": sum(pruned.values()) / total if total else 0.0,
        "compression_ratio": _saved(tiers),
        "access_patterns": {
            "total_accesses": n_asked,
            "top_accessed": most,
            "avg_accesses": n_asked / n_ids if n_ids else 0.0,
        },
        "storage_usage": {
            path.name: path.stat().st_size
            for path in sorted(memory.folder.glob("*"))
            if path.is_file()
        },
    }


def _saved(tiers: dict[str, dict[str, int]]) -> float:
    """Return the share of bytes that the tiers saved: what all would take if they were hot."""
    hot = tiers["hot"]
    n_all = sum(tier["memories"] for tier in tiers.values())
    n_bytes = sum(tier["bytes"] for tier in tiers.values())
    if not hot["memories"] or not n_all:
        return 0.0
    return max(0.0, 1 - n_bytes / (hot["bytes"] / hot["memories"] * n_all))
