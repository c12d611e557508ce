"""What became of a decision that an agent logged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, record_id
from freqtrade_mem0.records.limits import Integer, LongText, Money, Name, Number, Ratio
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Scalar

TRADE, RESULT, CANDLES, NONE = "trade", "result", "candles", ""
_RANK = {NONE: 0, CANDLES: 1, RESULT: 2, TRADE: 3}
_WORDS = {
    TRADE: "by the bot's closed trade",
    RESULT: "as the agent says",
    CANDLES: "by the candles until the due date, without costs",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentOutcome(Record):
    """The outcome of an agent's decision. It never counts as evidence for a stake.

    Of several sources the best counts: a bot's closed trade, what the agent says, candles.

    Parameters
    ----------
    decision_id
        Record id of the decision.
    source
        `TRADE`, `RESULT`, `CANDLES`, or `NONE` while only a result without a profit is known.
    pair, action
        Of the decision.
    profit_ratio
        Relative to the stake; None where only `profit_abs` is known, or nothing.
    profit_abs
        In stake currency; None where unknown.
    told_ratio
        What the agent says, also where a better source has the outcome.
    trade_id
        Record id of the trade; "" where there is none.
    was_executed
        False where the agent says that nothing was bought or sold, as with a refused order.
    said
        All that the agent said of the result, under names that begin with "said.".
    """

    kind: ClassVar[str] = "agent_outcome"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS

    decision_id: Name
    source: Name
    pair: Name = ""
    action: Name = ""
    profit_ratio: Ratio | None = None
    profit_abs: Money | None = None
    told_ratio: Ratio | None = None
    trade_id: Name = ""
    was_executed: bool = True
    said: Mapping[Name, LongText | Integer | Number | bool] = field(default_factory=dict)

    @property
    def is_resolved(self) -> bool:
        """Whether nothing more is expected; a bot's trade may still correct what an agent says."""
        return self.source != NONE or not self.was_executed

    @property
    def is_disputed(self) -> bool:
        """Whether the agent told of a gain where a better source has a loss, or the reverse."""
        told, real = self.told_ratio, self.profit_ratio
        return self.source == TRADE and None not in (told, real) and (told > 0) != (real > 0)  # type: ignore[operator]

    def keeping(self, earlier: Record) -> AgentOutcome:
        """Return the outcome of the better source, with what the agent said in either."""
        if not isinstance(earlier, AgentOutcome):
            return self
        mine, theirs = _RANK.get(self.source, 0), _RANK.get(earlier.source, 0)
        best = earlier if mine < theirs or self._says_what(earlier) else self
        told = earlier.told_ratio if self.told_ratio is None else self.told_ratio
        executed = best.source != NONE or (self.was_executed and earlier.was_executed)
        return replace(
            best, told_ratio=told, said={**earlier.said, **self.said}, was_executed=executed
        )

    def says_profit_of(self, other: AgentOutcome) -> bool:
        """Return whether another outcome has the same profit."""
        mine = (self.profit_ratio, self.profit_abs, self.was_executed)
        return mine == (other.profit_ratio, other.profit_abs, other.was_executed)

    def _says_what(self, other: AgentOutcome) -> bool:
        """Return whether another outcome says the same, whenever it was told."""
        mine = (self.source, self.profit_ratio, self.profit_abs, self.trade_id)
        return mine == (other.source, other.profit_ratio, other.profit_abs, other.trade_id)

    def sentence(self) -> str:
        """Return, for example, "Agent trader_1's BUY BTC/USDT made +1.20% by the bot's ..."."""
        what = f"Agent {self.origin.run_id}'s {self.action} {self.pair}".strip()
        if not self.was_executed:
            return f"{what} was not executed, as the agent says"
        if not self.is_resolved:
            return f"{what}: the outcome is not known yet"
        made = f"{self.profit_abs:+g} in stake currency" if self.profit_abs is not None else "?"
        made = made if self.profit_ratio is None else percent(self.profit_ratio)
        dispute = ""
        if self.is_disputed and self.told_ratio is not None:
            dispute = f"; the agent said {percent(self.told_ratio)}"
        return f"{what} made {made} {_WORDS.get(self.source, self.source)}{dispute}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return what outcomes are told apart by; no key is one of a trade's profit."""
        keys: dict[str, Scalar] = {
            **self.said,
            "agent": self.origin.run_id,
            "action": self.action,
            "pair": self.pair,
            "decision_id": self.decision_id,
            "outcome_source": self.source,
        }
        return keys if self.profit_ratio is None else keys | {"outcome_ratio": self.profit_ratio}


def outcome_id(decision_id: str) -> str:
    """Return the record id of the outcome of a decision."""
    return record_id("agent_outcome", decision_id)
