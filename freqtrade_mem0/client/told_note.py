"""The record of a text that a person or a tool stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.own_metadata import category_named, flat
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.kinds.note import Note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin


def told_note(
    store: MemoryFolder,
    origin_of: Callable[[str | None], Origin],
    category: str,
    content: object,
    metadata: Mapping[str, Any] | None,
) -> Note:
    """Return the note to store; see `Mem0Client.store`."""
    filed_under = category_named(category)
    own = dict(metadata or {})
    named = own.pop("category", None)
    if named is not None and category_named(named) != filed_under:
        raise RecordError(
            f"The category is {category!r}, but metadata says {named!r}. Leave one of them out."
        )
    if not isinstance(content, str) or not content.strip():
        raise RecordError(f"content must be a text that is not blank, got {content!r}.")
    now, strategy = datetime.now(UTC), own.pop("strategy", None)
    origin = origin_of(strategy)
    identity = ["note", origin.user_id, str(filed_under), content]
    note = Note(
        id=record_id(*identity, *([] if strategy is None else [origin.strategy])),
        origin=origin,
        known_at=now,
        recorded_at=now,
        filed_under=filed_under,
        content=content,
        metadata=flat(own),
    )
    n = 0
    while (taken := store.journal.record_of(Note, note.id)) is not None and (
        taken.content != content or taken.origin != origin
    ):
        n += 1  # a note that was changed since, or the same words of another writer
        note = replace(note, id=record_id(*identity, origin.strategy, n))
    return note


def checked_strategy(name: object) -> str:
    """Return a strategy's name; raise `RecordError` where Mem0 can not keep it as a scope."""
    if not isinstance(name, str) or not name or any(map(str.isspace, name)) or name == "*":
        raise RecordError(
            f"strategy must be a name without blanks (a rule of Mem0), got {name!r}. Write, for "
            "example, 'smart_money'."
        )
    return name
