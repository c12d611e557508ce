"""Shows the trades of a strategy to the detectors in market order; the state can be saved."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.risk.damping import NO_DAMPING
from freqtrade_mem0.risk.event_record import Respond, completed_event
from freqtrade_mem0.risk.events import EVENT_TYPES, SEQUENCE_TYPES

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

VERSION = 1
"""Of the detectors and their states. After a change of it all trades are read again."""

Position = tuple[datetime, str]
"""A trade's place in market order: its `known_at`, then its id."""


def position_of(trade: ClosedTrade) -> Position:
    """Return a trade's place in market order."""
    return trade.known_at, trade.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """The state of a sequence after a trade; its size does not grow with the number of trades.

    Parameters
    ----------
    n
        Number of trades shown.
    last
        The position of the last trade shown; None before the first.
    detectors
        Their states by type of event, empty at the beginning. None where they are not known: then
        all trades up to `last` have to be read first.
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
        """Return what `to_json` gave; None where it is of another version or of other detectors."""
        if state.get("version") != VERSION:
            return None
        last, detectors = state["last"], state["detectors"]
        if detectors and set(detectors) != SEQUENCE_TYPES:
            return None
        return cls(
            n=state["n"],
            last=None if last is None else (datetime.fromisoformat(last[0]), last[1]),
            detectors=detectors,
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
        Where it starts; the states of the detectors are known.
    """

    def __init__(
        self, respond: Respond = NO_DAMPING.response, start: Checkpoint = BEGINNING
    ) -> None:
        self._respond = respond
        self.n = start.n
        self.last = start.last
        self._detectors = {
            name: event.detector() for name, event in EVENT_TYPES.items() if event.detector
        }
        for name, state in (start.detectors or {}).items():
            self._detectors[name].restore(state)

    def show(self, trade: ClosedTrade) -> list[RiskEvent]:
        """Return the events that the next trade in market order completes; it is evidence."""
        self.n += 1
        self.last = trade.known_at, trade.id
        events = []
        for name, detector in self._detectors.items():
            completed = detector.closed(trade)
            if completed is not None:
                events.append(completed_event(trade, name, completed, self._respond))
        return events

    def checkpoint(self) -> Checkpoint:
        """Return the state after the trades shown."""
        states = {name: detector.state() for name, detector in self._detectors.items()}
        return Checkpoint(n=self.n, last=self.last, detectors=states)
