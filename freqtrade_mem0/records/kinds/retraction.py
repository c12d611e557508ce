"""A retraction: an earlier record does not count any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, record_id
from freqtrade_mem0.records.limits import Name, Text

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Retraction(Record):
    """The record `target_id` no longer counts, for example because Freqtrade deleted its trade.

    Parameters
    ----------
    target_id
        Id of the retracted record. It stays in the journal, marked, and is deleted in Mem0.
    reason
        One sentence for people.
    """

    kind: ClassVar[str] = "retraction"
    default_category: ClassVar[Category] = Category.STRATEGY_PERFORMANCE
    ages_as: ClassVar[str | None] = None

    target_id: Name
    reason: Text

    @property
    def retracts(self) -> str:
        """Id of the retracted record."""
        return self.target_id

    def sentence(self) -> str:
        """Return what is retracted, and why."""
        return f"Record {self.target_id} is taken back: {self.reason}"


def retraction_id(target_id: str) -> str:
    """Return the id of the retraction of a record."""
    return record_id("retraction", target_id)


def retraction(record: Record, reason: str, recorded_at: datetime) -> Retraction:
    """Return the retraction of `record`; it becomes known when the record did."""
    return Retraction(
        id=retraction_id(record.id),
        origin=record.origin,
        known_at=record.known_at,
        recorded_at=recorded_at,
        target_id=record.id,
        reason=reason,
    )
