"""Deletes the memories of a scope in Mem0, in whatever mode it is used, and asks for them again."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
    from freqtrade_mem0.memory_folder import MemoryFolder

_PER_DELETE = 200

_ROUNDS = 5
"""How often Mem0 is asked for what is left: a delivery under way may have stored some more."""

_PROBE = "closed trade stop loss strategy pair"


def count_memories(memory: MemoryFolder, scope: ForgetScope) -> int:
    """Count the memories of a scope in Mem0."""
    if not memory.delivers:
        return 0
    return sum(memory.backend.count(filters=scope.filters()).values())


def delete_memories(memory: MemoryFolder, scope: ForgetScope, point: Callable[[], None]) -> int:
    """Delete every memory of a scope; return how many there were.

    Raises
    ------
    BackendError
        Mem0 can not be reached, or some can not be deleted; nothing in the journal is gone yet.
    """
    if not memory.delivers:
        return 0
    n_deleted = 0
    for _ in range(_ROUNDS):
        ids = [each.id for each in memory.backend.scan(filters=scope.filters())]
        parts = iter(ids)
        while part := list(islice(parts, _PER_DELETE)):
            n_deleted += memory.backend.delete(part)
            point()
        if not ids:
            return n_deleted
    raise BackendError(
        f"After {_ROUNDS} rounds Mem0 still gives memories of what is to be forgotten: something "
        "writes them again. Stop what uses this memory, and run the same command once more."
    )


def probe_memories(memory: MemoryFolder, scope: ForgetScope) -> dict[str, int]:
    """Return how many memories each kind of question still finds."""
    if not memory.delivers:
        return {}
    filters = scope.filters()
    return {
        "memories counted": count_memories(memory, scope),
        "memories listed": sum(1 for _ in memory.backend.scan(filters=filters)),
        "memories found by a search": len(memory.backend.search(_PROBE, filters=filters, limit=10)),
    }
