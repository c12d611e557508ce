"""Plain values, as JSON has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

Facts = dict[str, Any]
"""A JSON object."""


def iso(moment: datetime | None) -> str | None:
    """Return a time in ISO 8601 format."""
    return None if moment is None else moment.isoformat()
