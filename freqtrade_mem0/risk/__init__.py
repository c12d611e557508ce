"""Pure: what is a risk event, and how much it damps what follows.

* `events`: which trades are one by the way they ended; how any event is made.
* `detectors`, `drift`: events that a sequence of trades completes.
* `sequence`: shows trades to detectors in market order, and can be put down and taken up again.
* `watch`: brings trades into market order, however they arrive, and keeps the newest.
* `market`: events of candles and of Freqtrade's protections.
* `damping`: how active events damp a stake, and how that wears off.
"""

from __future__ import annotations

from freqtrade_mem0.risk.detectors import STREAK_LENGTH
from freqtrade_mem0.risk.events import exit_event
from freqtrade_mem0.risk.watch import RiskWatch

__all__ = ["STREAK_LENGTH", "RiskWatch", "exit_event"]
