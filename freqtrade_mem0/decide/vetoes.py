"""Which decisions refuse an entry, and which of these refusals are news."""

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
    """Refuses entries that memory has very little trust in.

    Parameters
    ----------
    below
        Multipliers below this are refused; None refuses nothing.
    """

    def __init__(self, below: float | None) -> None:
        self._below = below
        self._noted: dict[tuple[str, str], str] = {}
        """By pair and side: the UTC hour in which a refusal was noted last."""

    def reasons(self, multiplier: float) -> tuple[Reason, ...]:
        """Return the reason for refusing an entry; none where it is let through."""
        if self._below is None or multiplier >= self._below:
            return ()
        text = f"x{multiplier:.3f} is below sizing.veto_below, {self._below:g}: no entry"
        return (Reason(name=_VETOED, text=text),)

    def is_news(self, proposal: Proposal) -> bool:
        """Return whether a refusal is the first of its pair and side in its UTC hour.

        Freqtrade asks again every few seconds, for as long as the signal lasts.
        """
        key, hour = (proposal.pair, proposal.side), f"{proposal.moment:%Y-%m-%d %H}"
        if self._noted.get(key) == hour:
            return False
        self._noted[key] = hour
        return True

    def clear(self) -> None:
        """Forget what was noted: another run begins."""
        self._noted.clear()
