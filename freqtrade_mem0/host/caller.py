"""Whether Freqtrade called a callback, or the strategy itself did.

Freqtrade calls every callback from a module of its own (`freqtrade.strategy.strategy_wrapper`); a
strategy calls from its own file. So the module of the calling frame tells them apart.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType


def is_called_by_freqtrade(strategy: Any, callback: str) -> bool:
    """Return whether Freqtrade called the calling function, which is `strategy.<callback>`."""
    frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - inspect.stack takes milliseconds
    if _is_in_freqtrade(frame):
        return True
    # A strategy may put a decorator around its callback when it starts. Then Freqtrade called the
    # decorator: it is the function `f` of the nearest `strategy_safe_wrapper`.
    while frame is not None and not _is_in_freqtrade(frame):
        frame = frame.f_back
    return frame is not None and frame.f_locals.get("f") == getattr(strategy, callback)


def _is_in_freqtrade(frame: FrameType | None) -> bool:
    return frame is not None and str(frame.f_globals.get("__name__")).startswith("freqtrade.")
