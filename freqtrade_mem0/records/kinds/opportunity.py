"""An entry that was wanted and not made, and what became of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from freqtrade_mem0.records.base import Category, Record, record_id
from freqtrade_mem0.records.limits import Count, Name, Number, Quantity
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.memory import Scalar

Why = Literal["vetoed", "refused", "not_filled", "no_slot"]
"""Memory vetoed it, the strategy refused it, no order was filled, or (in a backtest) no slot or
money was free."""

_IN_WORDS = {
    "vetoed": "was vetoed by memory",
    "refused": "was refused by the strategy",
    "not_filled": "was not filled",
    "no_slot": "was left out for want of a free slot or money",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity(Record):
    """An entry that was not made; in backtests how many of a run were not. It is never evidence.

    Moves are ratios in the direction of the trade: positive is what it would have gained, before
    fees. They are None until the candles are there.

    Parameters
    ----------
    why
        Why it was not made.
    pair, side, enter_tag
        The entry's; "" for all of a backtest.
    rate
        Of the order that was not placed or not filled; 0.0 where it is not known.
    n
        How often the same entry was wanted until then; in backtests how many entries.
    n_candles
        The candles after it that the moves are of.
    best_move, worst_move, last_move
        The price at its best and worst within them, and at the close of the last.
    """

    kind: ClassVar[str] = "opportunity"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    ages_as: ClassVar[str | None] = "opportunities"

    why: Why
    pair: Name = ""
    side: Name = ""
    enter_tag: Name = ""
    rate: Quantity = 0.0
    n: Count = 1
    n_candles: Count = 0
    best_move: Number | None = None
    worst_move: Number | None = None
    last_move: Number | None = None

    def sentence(self) -> str:
        """Return, for example, "A long entry into ETH/USDT of Sample was refused ..."."""
        of, done = f" of {self.origin.strategy}", _IN_WORDS[self.why]
        if not self.pair:
            were = done.replace("was ", "were ", 1) if self.n != 1 else done
            return f"{counted(self.n, 'entry', 'entries')}{of} {were}"
        times = f" ({self.n} times)" if self.n > 1 else ""
        what = f"A {self.side} entry into {self.pair}{of} {done}{times}"
        if self.best_move is None or self.worst_move is None or self.last_move is None:
            return what
        return (
            f"{what}; {counted(self.n_candles, 'candle')} later it would have been at "
            f"{percent(self.last_move)}, at best {percent(self.best_move)}, at worst "
            f"{percent(self.worst_move)}"
        )

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return all; moves where they are known."""
        moves = {
            "best_move": self.best_move,
            "worst_move": self.worst_move,
            "last_move": self.last_move,
        }
        return {
            "why": self.why,
            "pair": self.pair,
            "side": self.side,
            "enter_tag": self.enter_tag,
            "rate": self.rate,
            "n": self.n,
            "n_candles": self.n_candles,
            **{name: move for name, move in moves.items() if move is not None},
        }


def counted_opportunities(
    origin: Origin, counts: Mapping[Why, int], known_at: datetime, recorded_at: datetime
) -> list[Opportunity]:
    """Return what a backtest tells of entries that were not made: how many, for each reason."""
    return [
        Opportunity(
            id=record_id("opportunities", origin.user_id, origin.strategy, origin.run_id, why),
            origin=origin,
            known_at=known_at,
            recorded_at=recorded_at,
            why=why,
            n=n,
        )
        for why, n in counts.items()
        if n > 0
    ]
