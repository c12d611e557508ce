"""A client's memories as a mapping, category by category."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.records.base import Category

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Memories(Mapping[str, list[dict[str, Any]]]):
    """All memories of an owner by category, newest first; each look asks the memory anew.

    `client.memories["risk_profile"]` is `client.recall("risk_profile", limit=None)`.
    """

    def __init__(self, recall: Callable[..., list[dict[str, Any]]]) -> None:
        self._recall = recall

    def __getitem__(self, category: str) -> list[dict[str, Any]]:
        """Return the memories of a category; raise `RecordError` where there is no such one."""
        return self._recall(category, limit=None)

    def __iter__(self) -> Iterator[str]:
        return map(str, Category)

    def __len__(self) -> int:
        return len(Category)
