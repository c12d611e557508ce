"""A protection of Freqtrade's locked entries because of losses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.risk.event_type import EventType, Observed

if TYPE_CHECKING:
    from freqtrade_mem0.risk.event_type import Lock

_MARK = "locking "
"""In the reasons that StoplossGuard, LowProfitPairs and MaxDrawdown give.

CooldownPeriod, which locks after any trade, the "Auto lock" and locks by hand or by a strategy do
not have it.
"""


def _of_lock(lock: Lock) -> Observed | None:
    if _MARK not in lock.reason:
        return None
    pair = "" if lock.pair == "*" else lock.pair
    where = (pair or "all pairs") + ("" if lock.side == "*" else f" ({lock.side})")
    return Observed(
        text=f"a protection locked {where} until {lock.until:%Y-%m-%d %H:%M} UTC: {lock.reason}",
        pair=pair,
        known_at=lock.since,
        identity=(lock.side, to_ms(lock.since), to_ms(lock.until)),
    )


EVENT = EventType(
    when="StoplossGuard, LowProfitPairs or MaxDrawdown locks entries; not by cooldowns, Freqtrade's"
    " auto lock and locks by hand",
    concerns="the pair, or all pairs",
    of_lock=_of_lock,
)
