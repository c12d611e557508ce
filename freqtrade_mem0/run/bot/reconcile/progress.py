"""The state of the last comparison of a bot's trade database, saved as a mark in the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.host.trade_database import NOTHING, ClosedSum

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""Version of the mark; with another version everything is compared again."""

LATELY_S = 3_600.0
"""How long a closed trade is compared again each time: Freqtrade may still correct it."""

_MOST_LATELY = 5_000
"""The most trades that are compared again each time."""


class Lately(NamedTuple):
    """A trade that was found closed within `LATELY_S`."""

    noticed_s: float
    """When it was found, seconds since 1970 in UTC."""
    record_id: str | None
    """None where it has no filled entry order."""


@dataclass(slots=True, kw_only=True)
class Compared:
    """What the last comparison saw, so that the next one finds what has changed since."""

    birth: str
    """When the database was created, "" if unknown; another time means another database."""
    last_id: int
    """The highest trade id. Trades that were opened since have higher ids."""
    open_ids: set[int] = field(default_factory=set)
    """Trades that were open, or closed and not complete yet."""
    lately: dict[int, Lately] = field(default_factory=dict)
    """Closed trades that are still compared one by one, by trade id."""
    settled: ClosedSum = NOTHING
    """The sum over all other closed trades: it changes when one of them changes."""

    def to_json(self) -> dict[str, Any]:
        """Return the state for JSON."""
        return {
            "version": VERSION,
            "birth": self.birth,
            "last_id": self.last_id,
            "open": sorted(self.open_ids),
            "lately": [[trade_id, *each] for trade_id, each in self.lately.items()],
            "settled": list(self.settled),
        }

    @classmethod
    def from_json(cls, mark: Mapping[str, Any]) -> Compared | None:
        """Return the state that `to_json` gave; None for an empty mark or another version."""
        if mark.get("version") != VERSION:
            return None
        return cls(
            birth=mark["birth"],
            last_id=mark["last_id"],
            open_ids=set(mark["open"]),
            lately={trade_id: Lately(*each) for trade_id, *each in mark["lately"]},
            settled=ClosedSum(*mark["settled"]),
        )

    def take_settled(self, now_s: float) -> list[int]:
        """Remove the trades from `lately` that are old enough for `settled`; return their ids."""
        n_too_many = max(0, len(self.lately) - _MOST_LATELY)
        ids = list(islice(self.lately, n_too_many))
        ids += [
            trade_id
            for trade_id, each in islice(self.lately.items(), n_too_many, None)
            if now_s - each.noticed_s > LATELY_S
        ]
        for trade_id in ids:
            del self.lately[trade_id]
        return ids
