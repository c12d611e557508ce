"""Taking a record back: what it said turned out not to be so, or is not so any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from freqtrade_mem0.records.base import Category, Record


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
