"""Something that happened to a trade or an account and that a careful person would remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.memory import Scalar


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
    default_category: ClassVar[Category] = Category.RISK_PROFILE
    added_later: ClassVar[str] = ',"response":""}'

    event_type: str
    description: str
    impact: float = 0.0
    pair: str = ""
    response: str = ""

    def sentence(self) -> str:
        """Return, for example, "Risk event stop_loss of Sample: ... (stakes are damped)"."""
        response = f" ({self.response})" if self.response else ""
        what = f"Risk event {self.event_type} of {self.origin.strategy}"
        return f"{what}: {self.description}{response}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return all but the description."""
        return {
            "event_type": self.event_type,
            "impact": self.impact,
            "pair": self.pair,
            "response": self.response,
        }
