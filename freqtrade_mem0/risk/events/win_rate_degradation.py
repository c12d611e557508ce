"""Degradation of the win rate: the strategy loses a larger share of its trades than before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.risk.event_type import Completed, Detector, EventType
from freqtrade_mem0.risk.page_hinkley import PageHinkley
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.kinds.trade import ClosedTrade


class _WinRateDegradation(Detector):
    """Runs the Page-Hinkley test over lost (1) and other (0) trades.

    What this does not show: less profit. Fewer, larger wins can make up for more losses.
    """

    __slots__ = ("_test",)

    def __init__(self) -> None:
        self._test = PageHinkley()

    def closed(self, trade: ClosedTrade) -> Completed | None:
        test = self._test
        if not test.update(1.0 if trade.profit_ratio < 0.0 else 0.0):
            return None
        return Completed(
            f"{test.after:.0%} of the last {counted(test.n_after, 'trade')} lost, "
            f"{test.before:.0%} of those before"
        )

    def state(self) -> dict[str, Any]:
        return self._test.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self._test.restore(state)


EVENT = EventType(
    when="a Page-Hinkley test over lost (1) and other (0) trades raises its alarm"
    " (`freqtrade_mem0/risk/page_hinkley.py`)",
    concerns="all pairs",
    detector=_WinRateDegradation,
)
