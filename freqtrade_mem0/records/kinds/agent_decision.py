"""A decision that an agent logged: what it meant to do, how sure it was, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.base import Category, Record, to_seconds
from freqtrade_mem0.records.limits import Instant, Integer, LongText, Name, Number, Quantity

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Scalar


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDecision(Record):
    """A decision in the words of an agent. It never counts as evidence for a stake.

    The agent is `origin.run_id`; `known_at` is when it decided.

    Parameters
    ----------
    action, pair, side
        What it meant to do, for example "BUY", "BTC/USDT", "long"; "" where that can not be read.
        A decision without a side opens no trade, so nothing can come of it.
    reason
        In its own words; "" where it said none.
    content_hash
        Of all that it said; the same decision told again has the same.
    confidence
        As it said; None where it said no number.
    rate, stop_rate, target_rate
        Prices of the entry, the stop and the target, in quote currency; None where not said.
    due_at
        When its outcome is looked up in candles, unless something else tells it before; None for
        never.
    timeframe
        Of the candles it looked at; "" where not said.
    said
        All that it said, under names that begin with "said.".
    """

    kind: ClassVar[str] = "agent_decision"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS

    action: Name
    pair: Name
    side: Name
    reason: LongText
    content_hash: Name
    confidence: Number | None = None
    rate: Quantity | None = None
    stop_rate: Quantity | None = None
    target_rate: Quantity | None = None
    due_at: Instant | None = None
    timeframe: Name = ""
    said: Mapping[Name, LongText | Integer | Number | bool] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return, for example, "Agent trader_1 decided BUY BTC/USDT, confidence 0.85: ..."."""
        sure = "" if self.confidence is None else f", confidence {self.confidence:g}"
        why = f": {self.reason}" if self.reason else ""
        what = f"{self.action} {self.pair}".strip() or "something"
        return f"Agent {self.origin.run_id} decided {what}{sure}{why}"

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return what decisions of agents are told apart by."""
        keys: dict[str, Scalar] = {
            **self.said,
            "agent": self.origin.run_id,
            "action": self.action,
            "pair": self.pair,
            "side": self.side,
        }
        if self.confidence is not None:
            keys["confidence"] = self.confidence
        return keys if self.due_at is None else keys | {"due_ts": to_seconds(self.due_at)}
