"""Which entries are refused because their stake multiplier is too low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.decision import Reason

if TYPE_CHECKING:
    from freqtrade_mem0.records.decision import Decision

_VETOED = "vetoed"


def is_vetoed(decision: Decision) -> bool:
    """Return whether a decision refuses its entry."""
    return any(reason.name == _VETOED for reason in decision.reasons)


class Vetoes:
    """Refuses entries with a multiplier below `below`; None refuses nothing."""

    def __init__(self, below: float | None) -> None:
        self._below = below

    def reasons(self, multiplier: float) -> tuple[Reason, ...]:
        """Return the reason for refusing an entry; an empty tuple where it is let through."""
        if self._below is None or multiplier >= self._below:
            return ()
        text = f"x{multiplier:.3f} is below sizing.veto_below, {self._below:g}: no entry"
        return (Reason(name=_VETOED, text=text),)
