"""Plain values that every view uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


def iso(moment: datetime | None) -> str | None:
    """Return a time for JSON."""
    return None if moment is None else moment.isoformat()
