"""A risk event of a trade, a pair or an account, such as a stop loss or a drawdown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record
from freqtrade_mem0.records.limits import Name, Number, Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.memory import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskEvent(Record):
    """A risk event.

    Parameters
    ----------
    event_type
        One of those in `docs/concepts/risk.md`, or any other that a person or tool notes.
    description
        One sentence for people.
    impact
        Profit ratio lost (negative), or a sentence about it; "", in older records 0.0, if it is
        not known.
    pair
        "" if the event concerns the whole account.
    response
        What memory does about it, in words; "" in records by hand and of earlier versions.
    """

    kind: ClassVar[str] = "risk_event"
    default_category: ClassVar[Category] = Category.RISK_PROFILE
    added_later: ClassVar[tuple[str, ...]] = (',"response":""',)

    event_type: Name
    description: Text
    impact: Number | Text = 0.0
    pair: Name = ""
    response: Text = ""

    def sentence(self) -> str:
        """Return, for example, "Risk event stop_loss of Sample: ... (stakes are damped)"."""
        response = f" ({self.response})" if self.response else ""
        what = f"Risk event {self.event_type} of {self.origin.strategy}"
        if isinstance(self.impact, str) and self.impact != "":
            return f"{what}: {self.description.rstrip('.')}. Impact: {self.impact}{response}"
        return f"{what}: {self.description}{response}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return all but the description."""
        return {
            "event_type": self.event_type,
            **({} if self.impact == "" else {"impact": self.impact}),
            "pair": self.pair,
            "response": self.response,
        }
