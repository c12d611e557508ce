"""How far a bot's trade database was compared with its memory; a mark in the journal."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.host.trade_database import NOTHING, ClosedSum

if TYPE_CHECKING:
    from collections.abc import Mapping

VERSION = 1
"""Of the mark; another one is not read, and everything is compared again."""

LATELY_S = 3_600.0
"""How long a closed trade is compared again at each look: its numbers may still be put right."""

_MOST_LATELY = 5_000
"""Trades that are compared again at each look, at most."""


class Lately(NamedTuple):
    """A trade that was found closed not long ago.

    Parameters
    ----------
    noticed_s
        When, in seconds since 1970 in UTC.
    record_id
        Its record; None where nothing identifies it.
    """

    noticed_s: float
    record_id: str | None


@dataclass(slots=True, kw_only=True)
class Compared:
    """What the last look at a trade database saw: enough to see what has changed since.

    Parameters
    ----------
    birth
        When the database was made, as text; another one is another database. "" where it can not
        say.
    last_id
        The highest of Freqtrade's ids then. What came since is higher, or was open then.
    open_ids
        Freqtrade's ids of the trades that were open, or closed and not complete yet.
    lately
        By Freqtrade's id: closed trades that are still looked at one by one.
    settled
        All other closed trades, as one sum: it changes when any of them does.
    """

    birth: str
    last_id: int
    open_ids: set[int] = field(default_factory=set)
    lately: dict[int, Lately] = field(default_factory=dict)
    settled: ClosedSum = NOTHING

    def to_json(self) -> dict[str, Any]:
        """Return it for JSON."""
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
        """Return what `to_json` gave; None for nothing, and for what another version wrote."""
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
        """Take off the closed trades that need not be looked at one by one any more; return them.

        Parameters
        ----------
        now_s
            Seconds since 1970 in UTC.
        """
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
