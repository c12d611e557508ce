"""Taking a record back: what it said turned out not to be so, or is not so any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, record_id

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction(Record):
    """The record `target_id` counts no more, for example as its trade was deleted in Freqtrade.

    Parameters
    ----------
    target_id
        Id of the record taken back. It stays in the journal, marked, and is deleted in Mem0.
    reason
        One sentence for people.
    """

    kind: ClassVar[str] = "retraction"
    category: ClassVar[Category] = Category.STRATEGY_PERFORMANCE

    target_id: str
    reason: str


def retraction_id(target_id: str) -> str:
    """Return the id of the retraction of a record."""
    return record_id("retraction", target_id)


def retraction(record: Record, reason: str, recorded_at: datetime) -> Retraction:
    """Return what takes `record` back; it becomes known when the record did.

    Parameters
    ----------
    record
        What is taken back.
    reason
        One sentence for people.
    recorded_at
        Aware UTC wall time.
    """
    return Retraction(
        id=retraction_id(record.id),
        origin=record.origin,
        known_at=record.known_at,
        recorded_at=recorded_at,
        target_id=record.id,
        reason=reason,
    )
