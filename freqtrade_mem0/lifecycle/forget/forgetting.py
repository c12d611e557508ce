"""Forgets a scope in every place, in an order that can be interrupted and begun again."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.config.address import vector_store
from freqtrade_mem0.journal import chain
from freqtrade_mem0.lifecycle.forget import rows
from freqtrade_mem0.lifecycle.forget.files import delete_in_files, rewrite_files
from freqtrade_mem0.lifecycle.forget.memories import (
    count_memories,
    delete_memories,
    probe_memories,
)
from freqtrade_mem0.lifecycle.forget.places import (
    OTHER_STORE,
    OUT_OF_REACH,
    OUT_OF_REACH_BY_MODE,
    OUT_OF_REACH_BY_STORE,
)
from freqtrade_mem0.lifecycle.lock import only_one
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
    from freqtrade_mem0.memory_folder import MemoryFolder


@dataclass(slots=True, kw_only=True)
class Receipt:
    """What was forgotten, and how that was checked.

    Parameters
    ----------
    at
        Aware UTC time of the forgetting. Older facts of the scope are not taken in again.
    deleted
        Rows, memories and files, by place.
    probes
        What each question about the scope still finds; all are 0 where nothing is left.
    left
        What could not be reached, as sentences.
    root_before, root_after
        Root of the journal's chain of hashes, in hexadecimal.
    """

    at: datetime
    deleted: Counter[str] = field(default_factory=Counter)
    probes: dict[str, int] = field(default_factory=dict)
    left: list[str] = field(default_factory=list)
    root_before: str = ""
    root_after: str = ""

    @property
    def is_complete(self) -> bool:
        """Whether no question finds anything."""
        return not any(self.probes.values())


def counted(memory: MemoryFolder, scope: ForgetScope) -> Counter[str]:
    """Count what would be deleted, where rows and memories say whose they are."""
    found = rows.count_rows(memory.journal, scope)
    found["memories in Mem0"] = count_memories(memory, scope)
    return +found


def forget(
    memory: MemoryFolder,
    scope: ForgetScope,
    now: datetime,
    *,
    backups: Sequence[str] = (),
    point: Callable[[], None] = lambda: None,
) -> Receipt:
    """Forget a scope. No bot of its user may run.

    It can be killed at any point: the journal knows that it was begun, takes in nothing of the
    scope again, and the same call does the rest.

    Parameters
    ----------
    memory
        The memory.
    scope
        What is forgotten.
    now
        Aware UTC wall time.
    backups
        Backups that are kept, to be named in the receipt.
    point
        Is called between two steps.

    Raises
    ------
    BackendError
        Mem0 can not be reached; the journal still has everything.
    JournalError
        The journal can not be used, or maintenance is under way.
    """
    receipt = Receipt(at=now)
    journal = memory.journal
    with only_one(memory.folder):
        receipt.root_before = _root(memory)
        receipt.deleted += rows.begin(journal, scope, to_ms(now))
        point()
        receipt.deleted["memories in Mem0"] = delete_memories(memory, scope, point)
        receipt.deleted += rows.delete_rows(journal, scope, point)
        point()
        receipt.deleted += delete_in_files(memory, scope, point)
        receipt.deleted["memories in Mem0"] += delete_memories(memory, scope, point)
        receipt.left += _rewritten_by_mem0(memory)
        receipt.left += rewrite_files(memory.folder, point)
        receipt.probes = {
            **{f"rows of {name}": n for name, n in rows.count_rows(journal, scope).items()},
            **probe_memories(memory, scope),
        }
        if receipt.is_complete:
            rows.end(journal, scope)
        receipt.root_after = _root(memory)
    receipt.deleted = +receipt.deleted
    receipt.left += [f"the backup {each}" for each in backups]
    receipt.left += _out_of_reach(memory.settings)
    return receipt


def _out_of_reach(settings: Settings) -> list[str]:
    block = vector_store(settings)
    if settings.mode not in {"embedded", "server"} or block is None or block.provider == "sqlite":
        return [*OUT_OF_REACH_BY_MODE.get(settings.mode, ()), *OUT_OF_REACH]
    by_store = OUT_OF_REACH_BY_STORE.get(block.provider, (OTHER_STORE.format(block.provider),))
    return [*by_store, *OUT_OF_REACH]


def _rewritten_by_mem0(memory: MemoryFolder) -> list[str]:
    """Let PostgreSQL write its tables anew, where Mem0 is there; return why it could not."""
    store = vector_store(memory.settings)
    if not memory.delivers or store is None or store.provider != "pgvector":
        return []
    memory.backend.shrink(time.sleep, alone=True)
    return list(memory.backend.upkeep_limits)


def _root(memory: MemoryFolder) -> str:
    with memory.journal.connection.read() as sqlite:
        return chain.head(sqlite).link.hex()
