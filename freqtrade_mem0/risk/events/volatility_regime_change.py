"""Jump of volatility: a pair moves far more than it lately did.

What this does not show: a jump while nothing is entered. It is looked for at decisions only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.risk.event_type import EventType, Observed

if TYPE_CHECKING:
    from freqtrade_mem0.risk.event_type import RangeJump


def _of_jump(jump: RangeJump) -> Observed:
    return Observed(
        text=f"{jump.pair} ranges {jump.times_usual:.1f} times as far as is usual in its last"
        " candles",
        pair=jump.pair,
        known_at=jump.moment,
        identity=(f"{jump.moment:%Y-%m-%d}",),
    )


EVENT = EventType(
    when="at a decision the pair's mean true range is more than twice its median in the window of"
    " 240 candles; once per pair and UTC day",
    concerns="the pair",
    of_jump=_of_jump,
)
