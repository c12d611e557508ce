"""A pattern: trades of one strategy whose results differ from those of its others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Interval

from freqtrade_mem0.records.base import Category, Record, record_id, to_seconds
from freqtrade_mem0.records.limits import Count, Instant, Name, Number, Ratio, Text
from freqtrade_mem0.words.numbers import counted, percent, probability

if TYPE_CHECKING:
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.memory import Scalar

Share = Annotated[float, Interval(ge=0.0, le=1.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternEffect:
    """Mean profit ratio of the pattern's trades minus that of the trades they are compared with.

    Parameters
    ----------
    occurrence_count
        The pattern's trades that it was computed from, those that overlap counted as one.
    ratio, low, high
        The difference and its 95 % interval.
    sign_probability
        Probability that the difference has the sign with which the pattern was found.
    """

    __pydantic_config__: ClassVar[dict[str, Any]] = {"allow_inf_nan": False, "extra": "forbid"}

    occurrence_count: Count
    ratio: Ratio
    low: Ratio
    high: Ratio
    sign_probability: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern(Record):
    """A pattern in the trades of one bot; corrected as they change.

    `known_at` is when the last of the trades became known that it was computed from. No stake
    depends on it.

    Parameters
    ----------
    pattern_type
        "trade" (pair, side, tag), "timing" (hour, session, weekday), "market" (the situation at the
        entry) or "exit" (the exit reason, alone or with another).
    conditions
        What its trades have in common: features and their values.
    is_active
        False once the evidence no longer suffices: the pattern was withdrawn.
    is_better
        Whether the results of its trades are better, or worse, than those they are compared with.
    occurrence_count
        Its trades.
    success_rate
        Share of them that gained.
    avg_profit, profit_std
        Mean and standard deviation of their profit ratios.
    confidence
        Probability that the sign of the effect is right, given all trades and how it was found.
    action_recommendation
        A sentence for people, never an order.
    discovered_at, withdrawn_at
        When it was first accepted, and when it was withdrawn; None while it is active.
    first_occurrence, last_occurrence
        When the first and last of its trades was opened.
    cells_tried
        Groups of trades that were tried when it was looked for.
    log_evidence
        Natural logarithm of 1 / p, where p is the probability that a group without a difference
        ever comes so far.
    effect_before
        The effect in the trades by which it was found, shrunk; None with too few.
    effect_since
        The effect in the trades known since; None as long as there are fewer than three.
    """

    kind: ClassVar[str] = "pattern"
    default_category: ClassVar[Category] = Category.LEARNING_INSIGHTS
    ages_as: ClassVar[str | None] = "patterns"

    pattern_type: Name
    conditions: Mapping[Name, Name]
    is_active: bool
    is_better: bool
    occurrence_count: Count
    success_rate: Share
    avg_profit: Ratio
    profit_std: Ratio
    confidence: Share
    action_recommendation: Text
    discovered_at: Instant
    withdrawn_at: Instant | None
    first_occurrence: Instant
    last_occurrence: Instant
    cells_tried: Count
    log_evidence: Number
    effect_before: PatternEffect | None
    effect_since: PatternEffect | None

    def sentence(self) -> str:
        """Return, for example, "Pattern of Sample: trades with pair ETH/USDT gain more, ..."."""
        state = "Pattern" if self.is_active else "Withdrawn pattern"
        more = "better" if self.is_better else "worse"
        since, before = self.effect_since, self.effect_before
        if since is not None:
            size = f", by {percent(since.ratio)} each since it was found"
        elif before is not None:
            size = f", by about {percent(before.ratio)} each"
        else:
            size = ""
        return (
            f"{state} of {self.origin.strategy}: trades with {in_words(self.conditions)} ended "
            f"{more} than {compared_with(self.conditions)}{size}; "
            f"{counted(self.occurrence_count, 'trade')}, {self.success_rate:.0%} gained, "
            f"mean {percent(self.avg_profit)}, confidence {probability(self.confidence)}"
        )

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return what patterns are told apart by; its conditions begin with `at_`."""
        since = self.effect_since
        return {
            "pattern_type": self.pattern_type,
            "is_active": self.is_active,
            "is_better": self.is_better,
            "occurrence_count": self.occurrence_count,
            "success_rate": self.success_rate,
            "avg_profit": self.avg_profit,
            "profit_std": self.profit_std,
            "confidence": self.confidence,
            "action_recommendation": self.action_recommendation,
            "discovered_ts": to_seconds(self.discovered_at),
            "last_occurrence_ts": to_seconds(self.last_occurrence),
            "cells_tried": self.cells_tried,
            **({} if since is None else {"effect_ratio": since.ratio}),
            **{f"at_{name}": value for name, value in self.conditions.items()},
        }


def pattern_id(origin: Origin, conditions: Mapping[str, str]) -> str:
    """Return the id of the pattern of a bot with these conditions."""
    parts = [part for condition in sorted(conditions.items()) for part in condition]
    return record_id(
        "pattern", origin.user_id, origin.strategy, str(origin.mode), origin.run_id, *parts
    )


def in_words(conditions: Mapping[str, str]) -> str:
    """Return conditions in words.

    >>> in_words({"enter_tag": "dip", "hour": "14h"})
    'enter tag dip and hour 14h (UTC)'
    """
    utc = ("hour", "session", "weekday")
    return " and ".join(
        f"{name.replace('_', ' ')} {value}{' (UTC)' if name in utc else ''}"
        for name, value in conditions.items()
    )


def compared_with(conditions: Mapping[str, str]) -> str:
    """Return which trades those of a pattern are compared with."""
    reason = conditions.get("exit_reason")
    if reason is None:
        return "the other trades"
    if len(conditions) > 1:
        return f"the other trades that ended by {reason}"
    return "trades that ended for other reasons which allow gains and losses"
