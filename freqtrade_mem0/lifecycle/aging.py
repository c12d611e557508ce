"""How long a memory is kept, and how much it matters, by the kind and category of its record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.kinds import record_types

if TYPE_CHECKING:
    from collections.abc import Collection

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.journal.aged import Aging
    from freqtrade_mem0.lifecycle.step import Work

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

_OWN_HOMES = ("embedded", "local")
"""Modes in which this journal alone stands behind the memories."""


def aging_kinds() -> list[str]:
    """Return the kinds of records whose memories age."""
    return [kind for kind, each in record_types().items() if each.ages_as is not None]


def only_own(work: Work) -> bool:
    """Return whether others write to the same Mem0: each machine ages what it recorded itself."""
    return work.settings.mode not in _OWN_HOMES


def with_memory(work: Work, kinds: Collection[str] | None = None) -> list[Aging]:
    """Return the records that have a memory and may age here, the youngest first."""
    kinds = aging_kinds() if kinds is None else kinds
    rows = work.memory.aged.with_memory(kinds, own_only=only_own(work))
    return [row for row in rows if row.seq not in work.claimed] if work.claimed else rows


def without_memory(work: Work, kinds: Collection[str]) -> list[Aging]:
    """Return the records that have none any more, the youngest first."""
    return work.memory.aged.without_memory(kinds, own_only=only_own(work))


def retention_days(settings: Settings, row: Aging) -> float | None:
    """Return for how many days a memory is kept; None for ever."""
    days: float | None = getattr(settings.retention, _key(row))
    return days


def importance(settings: Settings, row: Aging) -> float:
    """Return how much a memory matters, [0, 1]."""
    weight: float = getattr(settings.importance, _key(row))
    return weight


def is_in_archive(kind: str) -> bool:
    """Return whether a kind of record is what the archive is made of: patterns."""
    return record_types()[kind].ages_as == "patterns"


def age_ms(work: Work, row: Aging) -> int:
    """Return how old a memory is."""
    return to_ms(work.now) - row.since_ms


def unused_ms(work: Work, row: Aging) -> int:
    """Return for how long a memory was neither new nor asked for."""
    return to_ms(work.now) - max(row.since_ms, row.asked_ms)


def _key(row: Aging) -> str:
    return record_types()[row.kind].ages_as or row.category
