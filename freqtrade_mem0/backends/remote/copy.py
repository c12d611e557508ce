"""Turns a memory into what a server keeps, and back, without a change.

A server may turn 1.0 into 1, drop empty values or add keys. So the metadata holds our memory twice:
flat, for filters and for people, and exactly, as JSON text under `COPY_KEY` (texts excepted, which
servers do not change).
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends import payload
from freqtrade_mem0.backends.filters import as_instant
from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.records.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from freqtrade_mem0.backends.port import Filters

ID_KEY = "memory_id"
COPY_KEY = "freqtrade_mem0"
OWN_KEYS = frozenset({ID_KEY, COPY_KEY})
_FORMAT = 1
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCopy:
    """A memory as a server gave it."""

    memory: Memory
    """With our id where it is ours, else with the server's."""
    remote_id: str
    is_ours: bool
    """Whether this package wrote it."""
    written_at: datetime
    """By the writer's clock; of two copies with one id the later one counts."""


def digest(memory: Memory) -> str:
    """Return a fingerprint of everything in a memory."""
    scopes = [getattr(memory, key) for key in SCOPE_KEYS]
    # As typed text, because 1, 1.0 and True are equal but not the same.
    values = sorted((key, repr(value)) for key, value in memory.metadata.items())
    whole = [memory.id, memory.text, scopes, memory.created_at.astimezone(UTC).isoformat(), values]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def to_metadata(memory: Memory) -> dict[str, Any]:
    """Return the metadata with which a memory is sent."""
    texts = {
        key: value
        for key, value in memory.metadata.items()
        if isinstance(value, str) and value and key not in OWN_KEYS
    }
    copy = {
        "format": _FORMAT,
        "written_at": datetime.now(UTC).isoformat(),
        "created_at": memory.created_at.astimezone(UTC).isoformat(),
        "scopes": [getattr(memory, key) for key in SCOPE_KEYS],
        "texts": sorted(texts),
        "rest": {key: value for key, value in memory.metadata.items() if key not in texts},
    }
    flat = {key: value for key, value in memory.metadata.items() if key not in OWN_KEYS}
    return {**flat, ID_KEY: memory.id, COPY_KEY: json.dumps(copy, separators=(",", ":"))}


def from_item(item: Mapping[str, Any], *, has_clock: bool) -> RemoteCopy:
    """Return the memory in one element of a server's answer, whoever wrote it.

    Parameters
    ----------
    item
        The element; nothing in it can stop a reader.
    has_clock
        Whether the server sets `updated_at` by its own clock. If not, `stored_at` is the writer's
        time, or that of a later change.
    """
    remote_id = str(item["id"])
    metadata = item.get("metadata") or {}
    given = payload.from_item(item)
    copy = _copy(metadata)
    if copy is None:
        return RemoteCopy(
            memory=given,
            remote_id=remote_id,
            is_ours=False,
            written_at=given.stored_at or _LONG_AGO,
        )
    written_at = as_instant(copy["written_at"]) or _LONG_AGO
    updated_at = given.stored_at or written_at
    stored_at = updated_at if has_clock else max(written_at, updated_at)
    texts = {key: metadata[key] for key in copy["texts"] if isinstance(metadata.get(key), str)}
    memory = replace(
        given,
        id=metadata[ID_KEY],
        **dict(zip(SCOPE_KEYS, copy["scopes"], strict=True)),
        created_at=as_instant(copy["created_at"]) or given.created_at,
        metadata={**texts, **copy["rest"]},
        stored_at=stored_at,
    )
    return RemoteCopy(memory=memory, remote_id=remote_id, is_ours=True, written_at=written_at)


def text_conditions(filters: Filters) -> dict[str, str]:
    """Return the conditions that compare metadata with a text; every server knows them."""
    return {
        key: value
        for key, value in filters.items()
        if isinstance(value, str)
        and value not in {"", "*"}
        and key not in payload.RESERVED_KEYS | OWN_KEYS
    }


def newest(copies: Iterable[RemoteCopy]) -> tuple[dict[str, RemoteCopy], list[str]]:
    """Return the newest copy of each id, and the remote ids of our older ones.

    A write whose answer was lost can have been stored, and sent again.
    """
    of_id: defaultdict[str, dict[str, RemoteCopy]] = defaultdict(dict)
    for each in copies:
        of_id[each.memory.id][each.remote_id] = each
    counts: dict[str, RemoteCopy] = {}
    surplus: list[str] = []
    for memory_id, there in of_id.items():
        ranked = sorted(there.values(), key=lambda copy: (copy.written_at, copy.remote_id))
        counts[memory_id] = ranked[-1]
        surplus += [copy.remote_id for copy in ranked[:-1] if copy.is_ours]
    return counts, surplus


def _copy(metadata: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        copy = json.loads(metadata[COPY_KEY])
        is_whole = (
            isinstance(metadata[ID_KEY], str)
            and copy["format"] == _FORMAT
            and all(isinstance(copy[key], str) for key in ("written_at", "created_at"))
            and all(isinstance(copy[key], list) for key in ("scopes", "texts"))
            and len(copy["scopes"]) == len(SCOPE_KEYS)
            and isinstance(copy["rest"], dict)
        )
    except (KeyError, TypeError, ValueError):
        return None
    return copy if is_whole else None
