"""Whether Freqtrade called a callback, or the strategy itself did.

Freqtrade calls every callback from a module of its own (`freqtrade.strategy.strategy_wrapper`); a
strategy calls from its own file. So the module of the calling frame tells them apart.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType


class FreqtradesCalls:
    """Tells Freqtrade's calls of a callback, which is `strategy.<callback>`, from other calls."""

    __slots__ = ("_callback", "_strategy", "known")

    def __init__(self, strategy: Any, callback: str) -> None:
        self._strategy, self._callback = strategy, callback
        self.known: dict[str, Any] = {}
        """The names of the module of Freqtrade that called last."""

    def include(self, caller: FrameType) -> bool:
        """Return whether the call from a frame is one of them."""
        if _is_in_freqtrade(caller):
            self.known = caller.f_globals
            return True
        # A strategy may put a decorator around its callback when it starts. Then Freqtrade called
        # the decorator: it is the function `f` of the nearest `strategy_safe_wrapper`.
        frame: FrameType | None = caller
        while frame is not None and not _is_in_freqtrade(frame):
            frame = frame.f_back
        return frame is not None and frame.f_locals.get("f") == getattr(
            self._strategy, self._callback
        )


def _is_in_freqtrade(frame: FrameType) -> bool:
    return str(frame.f_globals.get("__name__")).startswith("freqtrade.")
