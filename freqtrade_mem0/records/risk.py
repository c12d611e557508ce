"""Something that happened to a trade or an account and that a careful person would remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from freqtrade_mem0.records.base import Category, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskEvent(Record):
    """A risk event.

    Parameters
    ----------
    event_type
        See `docs/concepts/risk.md`, or anything a person or tool wants to note.
    description
        One sentence for people.
    impact
        Profit ratio lost (negative) where it can be said, else 0.0.
    pair
        "" where the event concerns the whole account.
    response
        What memory does about it, in words; "" where nobody said (a note by hand, an older record).
    """

    kind: ClassVar[str] = "risk_event"
    category: ClassVar[Category] = Category.RISK_PROFILE

    event_type: str
    description: str
    impact: float = 0.0
    pair: str = ""
    response: str = ""
