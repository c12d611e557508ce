"""Rows as PostgreSQL takes and gives them: handles what JSONB would change or refuse."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID

from freqtrade_mem0.backends.filters import as_instant
from freqtrade_mem0.backends.vector_rows import EPOCH, finite_matrix, payload_for_mem0
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.backends.vector_rows import Vectors
    from freqtrade_mem0.records.memory import Scalar

_WRITTEN_WITHOUT_POINT = 1e16  # from here on Python writes 1e+16, which JSONB reads as an integer


class Columns(NamedTuple):
    """Rows as columns of texts, sorted by id so that two writers lock rows in the same order."""

    ids: list[str]
    vectors: list[str]
    payloads: list[str]

    def only(self, ids: Collection[str]) -> Columns:
        """Return the rows with these ids, in the same order."""
        wanted = set(ids)
        kept = [row for row in zip(*self, strict=True) if row[0] in wanted]
        return Columns(*map(list, zip(*kept, strict=True))) if kept else Columns([], [], [])


def encode(
    vectors: Vectors,
    payloads: Sequence[Mapping[str, Any]],
    ids: Sequence[str],
) -> Columns:
    """Prepare rows outside of any transaction; of one id given twice the last counts.

    Raises `BackendError` where a vector is not finite; `permanent` where a payload is no JSON or an
    id no UUID.
    """
    matrix = finite_matrix(vectors, "f8")
    rows = {
        str(each): (str(vector), _payload(str(each), payload))
        for vector, payload, each in zip(matrix.tolist(), payloads, ids, strict=True)
    }
    for each in rows:
        if not is_id(each):
            raise _refusal(each, "its id must be a UUID in its canonical form")
    known = sorted(rows)
    return Columns(known, [rows[each][0] for each in known], [rows[each][1] for each in known])


def instant(created_at: str | None) -> datetime:
    """Return the creation time in a JSON text, as `payload_for_mem0` reads it; 1970 without one."""
    payload = payload_for_mem0(f'{{"created_at": {created_at or "null"}}}')
    found = as_instant(payload.get("created_at"))
    return EPOCH if found is None else found


def scalar(text: str | None) -> Scalar | None:
    """Return the value in a JSON text, to count by; nested values count as their JSON."""
    value = None if text is None else json.loads(text)
    return json.dumps(value, sort_keys=True) if isinstance(value, list | dict) else value


def score(found: float) -> float:
    """Return a score, at least zero; that of a vector of length zero is NaN and becomes zero."""
    return float(found) if found > 0.0 else 0.0


def to_json(value: object) -> str:
    """Return JSON that JSONB gives back with the same types and numbers; refuse NaN and infinity.

    >>> to_json({"pair": "ETH/USDT", "n": 1, "volume": 1e16})
    '{"pair": "ETH/USDT", "n": 1, "volume": 10000000000000000.0}'
    """
    if not _holds_large(value):
        return json.dumps(value, allow_nan=False, default=str)
    if isinstance(value, dict):
        fields = (f"{json.dumps(str(key))}: {to_json(each)}" for key, each in value.items())
        return "{" + ", ".join(fields) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(to_json, value)) + "]"
    return f"{value:.1f}"


def _holds_large(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_holds_large, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_holds_large, value))
    if not isinstance(value, float):
        return False
    return abs(value) >= _WRITTEN_WITHOUT_POINT and not math.isinf(value)


def is_storable(text: str) -> bool:
    """Tell whether PostgreSQL can hold a text: no NUL in it, and no half of a surrogate pair."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def is_id(text: str) -> bool:
    """Tell whether a text is a UUID as PostgreSQL writes it, and so may be an id."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _payload(row_id: str, payload: Mapping[str, Any]) -> str:
    try:
        text = to_json(dict(payload))
    except ValueError as error:
        raise _refusal(row_id, f"JSONB has no NaN and no infinity ({error})") from error
    # Both are written as escapes, which are rare: only then is each text checked.
    if "\\u" in text and not _all_storable(dict(payload)):
        raise _refusal(row_id, "PostgreSQL keeps no text with a NUL or half a surrogate pair in it")
    return text


def _all_storable(value: object) -> bool:
    if isinstance(value, dict):
        return all(is_storable(str(key)) and _all_storable(each) for key, each in value.items())
    if isinstance(value, list | tuple):
        return all(map(_all_storable, value))
    return is_storable(value) if isinstance(value, str) else True


def _refusal(row_id: str, rule: str) -> BackendError:
    return BackendError(f"Memory {row_id} can not be stored: {rule}.", permanent=True)
