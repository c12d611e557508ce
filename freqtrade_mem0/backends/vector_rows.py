"""Rows of our vector stores: what Mem0 gets from them, and what vectors they take."""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from pydantic_core import from_json

from freqtrade_mem0.backends.filters import as_instant, as_number
from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.records.memory import BLOCK

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

Vectors: TypeAlias = "Sequence[Sequence[float] | NDArray[np.float32]]"

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FARTHEST_US = 2**62  # far outside any calendar; keeps odd epoch numbers inside 64 bits
_TEXT_FIELDS = ("data", "hash", "created_at", "updated_at")


@dataclass(slots=True)
class Row:
    """One stored memory, as Mem0 expects it from a store; score in [0, 1] (keywords: BM25)."""

    id: str
    score: float | None
    payload: dict[str, Any]


ZSTD_FRAME = b"\x28\xb5\x2f\xfd"
"""How zstd's frames begin; no JSON does."""
_LEVEL = 12
_MOST_BYTES = 1 << 28


def decode_payload(text: object) -> dict[str, object]:
    """Return a stored payload; what is no JSON object (written by hand, say) counts as empty."""
    block = b""
    try:
        if isinstance(text, bytes) and text.startswith(ZSTD_FRAME):
            text, block = _plain(text)
        # pydantic's parser is fast: a backtest's memories are read by the ten thousand.
        payload = from_json(text) if isinstance(text, str | bytes) else None
    except ValueError:
        return {}
    if not isinstance(payload, dict):
        return {}
    return payload | {BLOCK: b64encode(block).decode()} if block else payload


def compressed_payload(text: str) -> bytes:
    """Return a payload compressed; `decode_payload` reads it as before.

    The trades of a summary are compressed already, and stand behind the rest as they are.
    """
    from zstandard import ZstdCompressor

    payload, block = decode_payload(text), b""
    with suppress(ValueError):
        block = b64decode(str(payload.get(BLOCK, "")), validate=True)
    if block and b64encode(block).decode() == payload[BLOCK]:
        text = json.dumps({key: value for key, value in payload.items() if key != BLOCK})
    else:
        block = b""
    return ZstdCompressor(level=_LEVEL).compress(text.encode()) + block


def _plain(packed: bytes) -> tuple[bytes, bytes]:
    """Return what was compressed, and what stands behind it."""
    from zstandard import ZstdDecompressor, ZstdError, frame_content_size

    try:
        if not 0 <= frame_content_size(packed) <= _MOST_BYTES:
            return b"", b""
        reader = ZstdDecompressor().decompressobj()
        return reader.decompress(packed), reader.unused_data
    except ZstdError:
        return b"", b""  # damaged


def payload_for_mem0(text: object) -> dict[str, Any]:
    """Return a stored payload, with the fields that Mem0 validates as text being text.

    Mem0 refuses a whole answer when one row in it has, for example, a number as `created_at`.
    """
    return for_mem0(decode_payload(text))


def for_mem0(payload: dict[str, Any]) -> dict[str, Any]:
    """Return a decoded payload, changed as `payload_for_mem0` says."""
    payload.setdefault("data", "")
    for key in _TEXT_FIELDS:
        value = payload.get(key)
        if key not in payload or isinstance(value, str):
            continue
        if value is None and key != "data":
            continue
        payload[key] = _time_text(value) if key.endswith("_at") else str(value or "")
    return payload


def microseconds(created_at: object) -> int:
    """Return a creation time as epoch microseconds; what is no time counts as 1970."""
    seconds = as_number(created_at)
    if seconds is not None and math.isfinite(seconds):
        return int(max(-_FARTHEST_US, min(seconds * 1e6, _FARTHEST_US)))
    instant = as_instant(created_at if isinstance(created_at, str) else str(created_at))
    return 0 if instant is None else (instant - EPOCH) // _MICROSECOND


def _time_text(value: object) -> str:
    if as_number(value) is None:
        return str(value)
    try:
        return (EPOCH + timedelta(microseconds=microseconds(value))).isoformat()
    except OverflowError:
        return str(value)


def finite_matrix(vectors: Vectors, dtype: str) -> NDArray[Any]:
    """Return the vectors of one insert as rows of an array; refuse what no embedder may give."""
    lengths = {len(vector) for vector in vectors}
    if len(lengths) != 1:
        raise BackendError(f"The vectors of one insert differ in length: {sorted(lengths)}.")
    with np.errstate(over="ignore"):
        matrix = np.asarray(vectors, dtype=dtype)
    if not np.isfinite(matrix).all():
        raise BackendError("A vector holds NaN or infinity; the embedder is broken.")
    return matrix


def wrong_length(name: str, expected: int | None, given: int) -> BackendError:
    """Return the error for vectors of another length than the collection holds."""
    return BackendError(
        f"The collection {name!r} holds vectors of {expected} numbers, this one has {given}: the "
        "embedder was changed. Configure the old embedder, or choose a new folder and deliver "
        "again from the journal."
    )
