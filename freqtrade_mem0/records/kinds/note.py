"""A note that a person or a tool wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record
from freqtrade_mem0.records.limits import Integer, LongText, Name, Number

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Record):
    """A text in one of the six categories.

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
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    text_is_content: ClassVar[bool] = True

    filed_under: Category
    content: LongText
    metadata: Mapping[Name, LongText | Integer | Number | bool] = field(default_factory=dict)

    @property
    def category(self) -> Category:
        """The category its writer chose."""
        return self.filed_under

    def sentence(self) -> str:
        """Return the text as it was written."""
        return self.content

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return the writer's own keys."""
        return self.metadata
