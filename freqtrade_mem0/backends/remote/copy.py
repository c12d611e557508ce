"""Our memory inside a remote one, which has an id of its own; there and back without a change.

A server may turn 1.0 into 1, drop what is empty or add keys. So texts travel as flat metadata,
which filters and people can use, and everything else, exactly, in one JSON text under `COPY_KEY`.
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

ID_KEY = "memory_id"
COPY_KEY = "freqtrade_mem0"
OWN_KEYS = frozenset({ID_KEY, COPY_KEY})
_FORMAT = 1
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteCopy:
    """A memory as a server gave it.

    Parameters
    ----------
    memory
        With our id where it is ours, else with the server's.
    remote_id
        The id that the server gave it.
    is_ours
        Whether this package wrote it.
    written_at
        When it was written, by the writer's clock; of two with one id the later one counts.
    """

    memory: Memory
    remote_id: str
    is_ours: bool
    written_at: datetime


def digest(memory: Memory) -> str:
    """Return a fingerprint of everything a memory says."""
    scopes = [getattr(memory, key) for key in SCOPE_KEYS]
    # As typed text, because 1, 1.0 and True are equal but not the same.
    values = sorted((key, repr(value)) for key, value in memory.metadata.items())
    whole = [memory.id, memory.text, scopes, memory.created_at.astimezone(UTC).isoformat(), values]
    return hashlib.sha256(json.dumps(whole).encode()).hexdigest()


def to_metadata(memory: Memory) -> dict[str, Any]:
    """Return the metadata with which a memory travels."""
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
    """Return what a server gave, ours or anybody's; nothing in it can stop a reader.

    Parameters
    ----------
    item
        One element of its answer.
    has_clock
        Whether its `updated_at` is by a clock of its own, which then counts for all writers. Else
        the writer's clock counts, or a change that was made later.
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


def newest(copies: Iterable[RemoteCopy]) -> tuple[dict[str, RemoteCopy], list[str]]:
    """Return the copy of each id that counts, and the remote ids of the others.

    A write that was stored although its answer was lost, and was sent again, is there twice.
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
