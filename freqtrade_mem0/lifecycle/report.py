"""The report of a cycle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freqtrade_mem0.lifecycle.step import StepReport

Counts = dict[str, Any]
"""Whole numbers by name, perhaps in groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleReport:
    """What a cycle did, or would do.

    Parameters
    ----------
    dry_run
        Whether nothing was changed.
    finished
        Whether every step has ended; false where the cycle was asked to stop.
    duration_s
        How long it took, in seconds.
    before, after
        `{tier: {"memories": n, "bytes": n}}` of the tiers hot, warm, cold and archive.
    counts
        What the steps did: `migrated`, `pruned`, `patterns`, `outcomes`, `compressed`, and other
        counts.
    ids
        Ids of the records that a dry run would take away or move.
    notes
        Sentences for the owner.
    """

    dry_run: bool
    finished: bool
    duration_s: float
    before: Mapping[str, Mapping[str, int]]
    after: Mapping[str, Mapping[str, int]]
    counts: Counts
    ids: Mapping[str, Sequence[str]]
    notes: Sequence[str]

    @property
    def reduction_ratio(self) -> float:
        """Share of the memories' bytes that went; 0 where there were none."""
        before, after = (
            sum(tier["bytes"] for tier in tiers.values()) for tiers in (self.before, self.after)
        )
        return 1 - after / before if before else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain values, as `--json` prints it."""
        return {
            "dry_run": self.dry_run,
            "finished": self.finished,
            "duration_s": round(self.duration_s, 3),
            "before": self.before,
            "after": self.after,
            **self.counts,
            "reduction_ratio": round(self.reduction_ratio, 4),
            **({"ids": self.ids} if self.dry_run else {}),
            "notes": list(self.notes),
        }


def no_counts() -> Counts:
    """Return the counts that every report has, all 0."""
    return {
        "migrated": {"hot_to_warm": 0, "warm_to_cold": 0, "cold_to_archive": 0},
        "pruned": {"by_age": 0, "by_relevance": 0, "by_redundancy": 0},
        "patterns": {"tested": 0, "found": 0, "withdrawn": 0},
        "outcomes": 0,
        "compressed": 0,
    }


def summed(reports: Sequence[StepReport]) -> Counts:
    """Return the counts of all steps, added up."""
    total = no_counts()
    for report in reports:
        _add(total, report.counts)
    return total


def _add(total: Counts, counts: Mapping[str, Any]) -> None:
    for name, value in counts.items():
        if isinstance(value, dict):
            _add(total.setdefault(name, {}), value)
        else:
            total[name] = total.get(name, 0) + value
