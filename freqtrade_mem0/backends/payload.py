"""Turns our `Memory` into the payload in which Mem0 keeps it, and back, without a change."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from freqtrade_mem0.backends.filters import as_instant
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.records.memory import Memory, Scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from freqtrade_mem0.backends.port import Filters, GroupKey

RESERVED_KEYS = frozenset(
    {"id", "data", "memory", "hash", "created_at", "updated_at", "role", "text_lemmatized", "score"}
    | set(SCOPE_KEYS)
)
"""Names that metadata can not use, because Mem0 keeps its own values under them."""

# Mem0 puts these beside "metadata" in its answers.
_PROMOTED_KEYS = (*SCOPE_KEYS, "actor_id", "attributed_to", "expiration_date")
_PLAIN_TYPES = frozenset({str, int, float, bool})
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def checked(memory: Memory) -> Memory:
    """Return the memory if it can be stored and read back unchanged, else raise `BackendError`."""
    if not _is_canonical_uuid(memory.id):
        raise _refusal(memory, "id", "must be a UUID in its canonical form", memory.id)
    if not memory.text.strip():
        raise _refusal(memory, "text", "must hold a word", memory.text)
    if memory.created_at.tzinfo is None:
        raise _refusal(memory, "created_at", "must be an aware time", memory.created_at)
    scopes = {key: getattr(memory, key) for key in SCOPE_KEYS}
    if not any(scopes.values()):
        raise _refusal(memory, "user_id, agent_id or run_id", "must be given", scopes)
    for key, scope in scopes.items():
        if scope and not is_scope(scope):
            raise _refusal(memory, key, "can not hold blanks (a rule of Mem0)", scope)
    return memory


def is_scope(value: object) -> bool:
    """Tell whether Mem0 takes a value, unchanged, as user_id, agent_id or run_id."""
    return isinstance(value, str) and len(value) > 0 and not any(map(str.isspace, value))


def to_payload(memory: Memory, lemmatize: Callable[[str], str]) -> dict[str, Any]:
    """Return what `Memory.add(infer=False)` of Mem0 would store for this memory.

    Parameters
    ----------
    memory
        The memory to be stored.
    lemmatize
        Mem0's own `lemmatize_for_bm25`, so that keyword search finds our memories, too.

    Raises
    ------
    BackendError
        Permanent: the memory breaks a rule of the store.
    """
    created_at = checked(memory).created_at.astimezone(UTC).isoformat()
    stored_at = datetime.now(UTC).isoformat()
    payload: dict[str, Any] = {
        key: _plain(memory, key, value) for key, value in memory.metadata.items()
    }
    payload |= {key: getattr(memory, key) for key in SCOPE_KEYS if getattr(memory, key)}
    return payload | {
        "role": "user",
        "data": memory.text,
        # Mem0 recognises duplicates by it; not used for security.
        "hash": hashlib.md5(memory.text.encode("utf-8", "replace")).hexdigest(),  # noqa: S324
        "created_at": created_at,
        "updated_at": stored_at,
        "text_lemmatized": lemmatize(memory.text),
    }


def from_payload(memory_id: str, payload: Mapping[str, Any], score: float | None = None) -> Memory:
    """Return the memory in a payload, whoever wrote it; nothing in it may stop a reader.

    Missing scopes are empty, a missing or unreadable time is 1970, nested metadata is JSON text.
    """
    created_at = as_instant(payload.get("created_at"))
    metadata = dict(payload)
    for key in RESERVED_KEYS:
        metadata.pop(key, None)
    if not _PLAIN_TYPES.issuperset(map(type, metadata.values())):
        metadata = {key: _flat(value) for key, value in metadata.items() if value is not None}
    return Memory(
        id=str(memory_id),
        text=_text(payload.get("data")),
        user_id=_text(payload.get("user_id")),
        agent_id=_text(payload.get("agent_id")),
        run_id=_text(payload.get("run_id")),
        created_at=_LONG_AGO if created_at is None else created_at,
        metadata=metadata,
        score=score,
        stored_at=as_instant(payload.get("updated_at")),
    )


def from_item(item: Mapping[str, Any]) -> Memory:
    """Return the memory in one element of what Mem0's `search` and `get` answer."""
    payload = dict(item.get("metadata") or {})
    payload |= {key: item[key] for key in _PROMOTED_KEYS if key in item}
    payload |= {"data": item.get("memory")}
    payload |= {key: item.get(key) for key in ("created_at", "updated_at")}
    score = item.get("score")
    return from_payload(
        item["id"], payload, None if score is None else min(max(float(score), 0.0), 1.0)
    )


def as_filterable(memory: Memory) -> dict[str, object]:
    """Return the values that filters are applied to, the same for every backend."""
    scopes = {key: getattr(memory, key) or None for key in SCOPE_KEYS}
    times = {"created_at": memory.created_at, "updated_at": memory.stored_at}
    texts = {key: at.astimezone(UTC).isoformat() for key, at in times.items() if at is not None}
    return {**memory.metadata, **scopes, "data": memory.text, **texts}


def stored_since(filters: Filters, since: datetime | None) -> Filters:
    """Return `filters` and the condition that a memory was stored at `since` or later."""
    if since is None:
        return filters
    stored = {"updated_at": {"gte": since.astimezone(UTC).isoformat()}}
    return {"AND": [filters, stored]} if filters else stored


def check_search(query: str, filters: Filters) -> None:
    """Refuse what Mem0 refuses, so that every backend does: a blank query, no scope named."""
    if not query.strip():
        raise BackendError("A search needs a query with a word in it.", permanent=True)
    if not any(key in filters for key in SCOPE_KEYS):
        raise BackendError(
            f"The filter of a search must name one of {', '.join(SCOPE_KEYS)} (a rule of Mem0); it "
            f"is {filters!r}.",
            permanent=True,
        )


def count_groups(memories: Iterable[Memory], by: Sequence[str]) -> dict[GroupKey, int]:
    """Count memories in groups by the keys `by`; see `MemoryBackend.count`."""
    counts: Counter[GroupKey] = Counter() if by else Counter({(): 0})
    for memory in memories:
        view = as_filterable(memory)
        values = (view.get(key) for key in by)
        counts[tuple(None if value is None else _flat(value) for value in values)] += 1
    return dict(counts)


def _is_canonical_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _plain(memory: Memory, key: str, value: object) -> Scalar:
    if key in RESERVED_KEYS:
        raise _refusal(memory, f"metadata[{key!r}]", "is a name that Mem0 keeps for itself", value)
    if isinstance(value, bool):
        return value
    # Enumerations and NumPy's float64 become the plain value that they derive from.
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _refusal(memory, f"metadata[{key!r}]", "must be a finite number", value)
        return float(value)
    raise _refusal(memory, f"metadata[{key!r}]", "must be str, int, float or bool", value)


def _flat(value: object) -> Scalar:
    if isinstance(value, str | int | float | bool):
        return value
    return json.dumps(value, sort_keys=True, default=str)


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _refusal(memory: Memory, field: str, rule: str, value: object) -> BackendError:
    return BackendError(
        f"Memory {memory.id} can not be stored: {field} {rule}, it is {value!r}.", permanent=True
    )
