"""An order that came to nothing: it timed out, was cancelled, rejected, or never placed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from freqtrade_mem0.records.base import Category, Record
from freqtrade_mem0.records.limits import Count, Name, Number, Quantity, Text
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.memory import Scalar

Cause = Literal["timed_out", "cancelled", "rejected", "not_placed"]
"""`not_placed`: an entry or exit was confirmed, and Freqtrade has no order of it."""

_IN_WORDS = {
    "timed_out": "timed out",
    "cancelled": "was cancelled",
    "rejected": "was rejected by the exchange",
    "not_placed": "was not placed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure(Record):
    """An order that failed; in backtests how many orders of a run did. It is never evidence.

    Parameters
    ----------
    action
        What the order was for.
    cause
        What became of it.
    reason
        Freqtrade's words, or what is known; "" where nothing is.
    pair, side
        The trade's; "" for all of a backtest.
    order_id
        The exchange's; "" where there is none.
    rate
        Of the order; 0.0 where it is not known.
    filled_ratio
        The part of the order that was filled before, in [0, 1].
    n
        How many orders: in a bot, how often it was tried within a candle.
    """

    kind: ClassVar[str] = "failure"
    default_category: ClassVar[Category] = Category.RISK_PROFILE
    ages_as: ClassVar[str | None] = "failures"

    action: Literal["entry", "exit"]
    cause: Cause
    reason: Text = ""
    pair: Name = ""
    side: Name = ""
    order_id: Name = ""
    rate: Quantity = 0.0
    filled_ratio: Number = 0.0
    n: Count = 1

    def sentence(self) -> str:
        """Return, for example, "The entry order of long ETH/USDT of Sample timed out"."""
        what = f"{self.action} order"
        of = f" of {self.origin.strategy}"
        done = _IN_WORDS[self.cause]
        if not self.pair:
            were = done.replace("was ", "were ", 1) if self.n != 1 else done
            return f"{counted(self.n, what)}{of} {were}"
        part = percent(self.filled_ratio, 0, signed=False)
        filled = f", {part} filled" if self.filled_ratio else ""
        times = f" ({self.n} times)" if self.n > 1 else ""
        reason = f": {self.reason}" if self.reason else ""
        return f"The {what} of {self.side} {self.pair}{of} {done}{filled}{times}{reason}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return all but the reason."""
        return {
            "action": self.action,
            "cause": self.cause,
            "pair": self.pair,
            "side": self.side,
            "rate": self.rate,
            "filled_ratio": self.filled_ratio,
            "n": self.n,
        }
