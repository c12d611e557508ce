"""Values as JSON, and their size."""

from __future__ import annotations

import json
from typing import Any


def size_of(value: Any) -> int:
    """Return how many bytes a value has as JSON.

    >>> size_of({"pair": "BTC/USDT"})
    19
    """
    return len(as_json(value).encode())


def as_json(value: Any) -> str:
    """Return a value as compact JSON that can be encoded."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode(errors="replace").decode()
