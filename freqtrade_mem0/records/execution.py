"""How a bot's trade was decided and filled: asked rates, slippage, the exit as it was decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from freqtrade_mem0.records.limits import Count, Feature, Instant, Name, Quantity, Ratio


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How the orders of a bot's closed trade were filled, and its exit as it was decided.

    Parameters
    ----------
    entry_rate, exit_rate
        The rate of the first entry order and of the last exit order (the stop price of a stop on
        the exchange) as they were placed; None where there is no such order.
    entry_slippage, exit_slippage
        How much worse these orders were filled on average than at that rate, as a ratio of it:
        positive is a cost, for longs and shorts, negative a gain.
    asked_reason, asked_rate, asked_at, asked_situation
        The exit that Freqtrade last asked the strategy to confirm: why, at which rate, when (aware
        UTC), and the market features at that moment, as at an entry. The trade may have ended
        otherwise. A bot that was restarted since does not know it.
    n_asked, n_refused
        How often Freqtrade asked to confirm an exit, and how often the strategy refused.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"allow_inf_nan": False, "extra": "forbid"}

    entry_rate: Quantity | None = None
    entry_slippage: Ratio | None = None
    exit_rate: Quantity | None = None
    exit_slippage: Ratio | None = None
    asked_reason: Name = ""
    asked_rate: Quantity | None = None
    asked_at: Instant | None = None
    asked_situation: Mapping[Name, Feature] = field(default_factory=dict)
    n_asked: Count = 0
    n_refused: Count = 0

    def filter_keys(self) -> dict[str, float | int]:
        """Return what trades are told apart by in Mem0."""
        slippage = {"entry_slippage": self.entry_slippage, "exit_slippage": self.exit_slippage}
        known = {name: value for name, value in slippage.items() if value is not None}
        return {**known, "n_exits_refused": self.n_refused}


def slippage(asked: float, filled: float, *, is_buy: bool) -> float:
    """Return the cost of a fill against the rate of its order, as a ratio of that.

    >>> slippage(100.0, 101.0, is_buy=True), slippage(100.0, 101.0, is_buy=False)
    (0.01, -0.01)
    """
    return (filled - asked) / asked * (1 if is_buy else -1)
