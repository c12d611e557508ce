"""What a person or a tool tells memory in their own words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from freqtrade_mem0.records.base import Category, Record
from freqtrade_mem0.records.memory import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Record):
    """A free note in one of the six categories.

    Parameters
    ----------
    filed_under
        The category the writer chose.
    content
        The text, stored as it is.
    metadata
        The writer's own keys, flat values.
    """

    kind: ClassVar[str] = "note"
    category: ClassVar[Category] = Category.LEARNING_INSIGHTS

    filed_under: Category
    content: str
    metadata: Mapping[str, Scalar] = field(default_factory=dict)


def category_of(record: Record) -> Category:
    """Return the category a record is filed under: its own, or the one a note's writer chose."""
    return record.filed_under if isinstance(record, Note) else record.category
