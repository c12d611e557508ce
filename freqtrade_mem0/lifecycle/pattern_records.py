"""The record of a pattern: its numbers, and what it recommends in words."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.records.kinds.pattern import (
    Pattern,
    PatternEffect,
    compared_with,
    in_words,
    pattern_id,
)

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.insight.patterns.effect import Effect
    from freqtrade_mem0.insight.patterns.look import FoundPattern
    from freqtrade_mem0.records.base import Origin

_LARGEST = 1e6
"""Of a ratio in a record."""


def record_of(
    found: FoundPattern, n_tested: int, origin: Origin, known_at: datetime, now: datetime
) -> Pattern:
    """Return the record of a pattern."""
    conditions = dict(found.conditions)
    return Pattern(
        id=pattern_id(origin, conditions),
        origin=origin,
        known_at=known_at,
        recorded_at=now,
        pattern_type=found.pattern_type,
        conditions=conditions,
        is_active=True,
        is_better=found.sign > 0,
        occurrence_count=found.n_occurrences,
        success_rate=found.success_rate,
        avg_profit=_bounded(found.mean_ratio),
        profit_std=_bounded(found.spread_ratio),
        confidence=found.confidence,
        action_recommendation=_recommendation(found),
        discovered_at=from_ms(found.discovered_ms),
        withdrawn_at=None,
        first_occurrence=from_ms(found.first_ms),
        last_occurrence=from_ms(found.last_ms),
        cells_tried=n_tested,
        log_evidence=found.log_evidence,
        effect_before=_effect(found.before),
        effect_since=_effect(found.after),
    )


def withdrawn(pattern: Pattern, known_at: datetime, now: datetime) -> Pattern:
    """Return the correction of a pattern whose evidence no longer suffices."""
    return replace(
        pattern,
        is_active=False,
        withdrawn_at=known_at,
        known_at=max(pattern.known_at, known_at),
        recorded_at=now,
        action_recommendation=(
            "Do not rely on it: with the newer trades, chance can explain how trades with "
            f"{in_words(pattern.conditions)} ended."
        ),
    )


def _effect(found: Effect | None) -> PatternEffect | None:
    if found is None:
        return None
    return PatternEffect(
        occurrence_count=found.n_blocks,
        ratio=_bounded(found.ratio),
        low=_bounded(found.low),
        high=_bounded(found.high),
        sign_probability=found.sign_probability,
    )


def _bounded(ratio: float) -> float:
    return math.copysign(min(abs(ratio), _LARGEST), ratio)


def _recommendation(found: FoundPattern) -> str:
    conditions = dict(found.conditions)
    which, others = in_words(conditions), compared_with(conditions)
    if found.after is None:
        return f"Wait: too few trades with {which} have closed since it was found to confirm it."
    if max(found.after.low * found.sign, found.after.high * found.sign) <= 0.0:
        return f"Do not rely on it: since it was found, trades with {which} showed the opposite."
    if "exit_reason" in conditions:
        return f"Look at how these trades end: {which} ended differently from {others}."
    if found.sign > 0:
        return (
            f"Find out what is different about entries with {which}. Before you change the "
            "strategy, test more of them, and fewer of the others, in a backtest."
        )
    return (
        f"Consider a filter against entries with {which}. Test it in a backtest before you change "
        "the strategy."
    )
