"""Which entries are refused because their stake multiplier is too low."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.decision import Reason

if TYPE_CHECKING:
    from freqtrade_mem0.decide.proposal import Proposal
    from freqtrade_mem0.records.decision import Decision

_VETOED = "vetoed"


def is_vetoed(decision: Decision) -> bool:
    """Return whether a decision refuses its entry."""
    return any(reason.name == _VETOED for reason in decision.reasons)


class Vetoes:
    """Refuses entries with a multiplier below `below`; None refuses nothing."""

    def __init__(self, below: float | None) -> None:
        self._below = below
        self._recorded: dict[tuple[str, str], str] = {}
        """By pair and side: the UTC hour of the last recorded refusal."""

    def reasons(self, multiplier: float) -> tuple[Reason, ...]:
        """Return the reason for refusing an entry; an empty tuple where it is let through."""
        if self._below is None or multiplier >= self._below:
            return ()
        text = f"x{multiplier:.3f} is below sizing.veto_below, {self._below:g}: no entry"
        return (Reason(name=_VETOED, text=text),)

    def is_first_of_hour(self, proposal: Proposal) -> bool:
        """Return whether a refusal is the first of its pair and side in its UTC hour.

        Freqtrade repeats a refused entry every few seconds while the signal lasts.
        """
        key, hour = (proposal.pair, proposal.side), f"{proposal.moment:%Y-%m-%d %H}"
        if self._recorded.get(key) == hour:
            return False
        self._recorded[key] = hour
        return True

    def clear(self) -> None:
        """Forget all refusals: another run begins."""
        self._recorded.clear()
