"""The stake that a strategy proposes for an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime


# Not frozen: a frozen dataclass takes three times as long to make, and each entry makes one.
@dataclass(slots=True, kw_only=True)
class Proposal:
    """A stake that the strategy proposes. Treat it as immutable.

    Parameters
    ----------
    pair, side, enter_tag
        The entry; the tag is "" where there is none.
    moment
        Aware UTC market time.
    stake
        In stake currency, > 0.
    min_stake, max_stake
        The smallest stake that can be placed and sold again, and what exchange and wallet allow, in
        stake currency; no minimum is None.
    situation
        Market features of the candles closed before `moment`.
    times_usual_range
        The candles' range over its usual range, where it has jumped; see `situation`.
    free_slots
        Returns how many trades may still be opened, this one included; None where it is unknown.
    """

    pair: str
    side: str
    enter_tag: str
    moment: datetime
    stake: float
    min_stake: float | None
    max_stake: float
    situation: Mapping[str, float | str]
    times_usual_range: float | None = None
    free_slots: Callable[[float], float] | None = None
