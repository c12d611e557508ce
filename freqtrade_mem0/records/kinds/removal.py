"""A removal: the memory of a record is deleted, and what the record says still counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, record_id
from freqtrade_mem0.records.limits import Name, Text

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal(Record):
    """The memory of the record `target_id` is deleted in Mem0 and shown in no answer.

    The record stays in the journal as evidence: a trade was made, whether it is remembered or not.

    Parameters
    ----------
    target_id
        Id of that record.
    reason
        One sentence for people.
    """

    kind: ClassVar[str] = "removal"
    default_category: ClassVar[Category] = Category.STRATEGY_PERFORMANCE
    ages_as: ClassVar[str | None] = None

    target_id: Name
    reason: Text

    @property
    def deletes(self) -> str:
        """Id of the memory."""
        return self.target_id

    def sentence(self) -> str:
        """Return which memory is deleted, and why."""
        return f"The memory of record {self.target_id} is deleted: {self.reason}"


def removal_id(target_id: str) -> str:
    """Return the id of the removal of a record's memory."""
    return record_id("removal", target_id)


def removal(record: Record, reason: str, recorded_at: datetime) -> Removal:
    """Return the removal of a record's memory; it becomes known when the record did."""
    return Removal(
        id=removal_id(record.id),
        origin=record.origin,
        known_at=record.known_at,
        recorded_at=recorded_at,
        target_id=record.id,
        reason=reason,
    )
