"""Trades of a strategy shown to the detectors in market order, and where such a sequence stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.risk.detectors import all_detectors
from freqtrade_mem0.risk.events import Respond, event_of_trade, noted

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

VERSION = 1
"""Of the detectors and their states; another one is not read: they go through everything again."""

Position = tuple[datetime, str]
"""A trade's place in market order: its `known_at`, then its id."""


def position_of(trade: ClosedTrade) -> Position:
    """Return a trade's place in market order."""
    return trade.known_at, trade.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """Where a sequence stands after a trade; small, however many there were.

    Parameters
    ----------
    n
        How many trades were shown.
    last
        The place of the last one in market order; None before the first.
    detectors
        Their states by name, empty at the beginning. None where they are not known: trades up to
        `last` would have to be gone through first.
    """

    n: int = 0
    last: Position | None = None
    detectors: Mapping[str, Any] | None = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON."""
        last = None if self.last is None else [self.last[0].isoformat(), self.last[1]]
        return {"version": VERSION, "n": self.n, "last": last, "detectors": self.detectors}

    @classmethod
    def from_json(cls, state: Mapping[str, Any]) -> Checkpoint | None:
        """Return what `to_json` gave; None for nothing, and for what another version wrote."""
        if state.get("version") != VERSION:
            return None
        last = state["last"]
        return cls(
            n=state["n"],
            last=None if last is None else (datetime.fromisoformat(last[0]), last[1]),
            detectors=state["detectors"],
        )


BEGINNING = Checkpoint()
"""Before the first trade."""


class Sequence:
    """Shows trades to one set of detectors.

    Parameters
    ----------
    respond
        Words the response to an event.
    start
        Where it goes on from; its detectors are known.
    """

    def __init__(self, respond: Respond = noted, start: Checkpoint = BEGINNING) -> None:
        self._respond = respond
        self.n = start.n
        self.last = start.last
        self._detectors = all_detectors()
        for name, state in (start.detectors or {}).items():
            self._detectors[name].restore(state)
        self._closed = [detector.closed for detector in self._detectors.values()]

    def show(self, trade: ClosedTrade) -> list[RiskEvent]:
        """Return the events that the next trade in market order completes.

        Parameters
        ----------
        trade
            Evidence, and behind all that were shown.
        """
        self.n += 1
        self.last = trade.known_at, trade.id
        found = []
        for closed in self._closed:
            finding = closed(trade)
            if finding is not None:
                found.append(event_of_trade(trade, *finding, respond=self._respond))
        return found

    def checkpoint(self) -> Checkpoint:
        """Return where it stands."""
        states = {name: detector.state() for name, detector in self._detectors.items()}
        return Checkpoint(n=self.n, last=self.last, detectors=states)
