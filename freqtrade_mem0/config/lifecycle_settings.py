"""The blocks `"lifecycle"`, `"retention"` and `"importance"`: how a memory ages.

Nothing here has an effect before `freqtrade-mem0 maintain` runs, and nothing here moves a stake.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from freqtrade_mem0.config.block import Block

_DAYS = "Days, > 0, or null for ever."
_WEIGHT = "[0, 1]"


class RetentionSettings(Block):
    """How long the memories of a category are kept, in days; null keeps them for ever.

    Evidence is never deleted: what stakes are computed from stays when a trade's memory goes.
    """

    user_preferences: float | None = Field(None, gt=0, description=f"Preferences. {_DAYS}")
    market_conditions: float | None = Field(7, gt=0, description=f"Market observations. {_DAYS}")
    strategy_performance: float | None = Field(
        30, gt=0, description=f"Trades, results of backtests. {_DAYS}"
    )
    risk_profile: float | None = Field(60, gt=0, description=f"Risk events. {_DAYS}")
    portfolio_patterns: float | None = Field(365, gt=0, description=f"Of the portfolio. {_DAYS}")
    learning_insights: float | None = Field(365, gt=0, description=f"Insights, notes. {_DAYS}")
    failures: float | None = Field(
        60, gt=0, description=f"Failed orders, whatever their category. {_DAYS}"
    )
    opportunities: float | None = Field(
        3, gt=0, description=f"Entries that were not made, whatever their category. {_DAYS}"
    )
    patterns: float | None = Field(
        365, gt=0, description=f"Patterns, whatever their category. {_DAYS}"
    )
    max_trades: int | None = Field(
        None,
        ge=1,
        description="Most trades that keep a memory of their own; the oldest ones beyond it go into"
        " summaries. null for any number.",
    )


class ImportanceSettings(Block):
    """How much memories of a category matter; a factor of their relevance."""

    user_preferences: float = Field(1.0, ge=0, le=1, description=f"Preferences. {_WEIGHT}")
    market_conditions: float = Field(0.6, ge=0, le=1, description=f"Market observations. {_WEIGHT}")
    strategy_performance: float = Field(0.9, ge=0, le=1, description=f"Trades, results. {_WEIGHT}")
    risk_profile: float = Field(0.8, ge=0, le=1, description=f"Risk events. {_WEIGHT}")
    portfolio_patterns: float = Field(1.0, ge=0, le=1, description=f"Of the portfolio. {_WEIGHT}")
    learning_insights: float = Field(1.0, ge=0, le=1, description=f"Insights, notes. {_WEIGHT}")
    failures: float = Field(0.8, ge=0, le=1, description=f"Failed orders. {_WEIGHT}")
    opportunities: float = Field(0.5, ge=0, le=1, description=f"Entries not made. {_WEIGHT}")
    patterns: float = Field(1.0, ge=0, le=1, description=f"Patterns. {_WEIGHT}")


class LifecycleSettings(Block):
    """How memories move through the tiers hot, warm, cold and archive, and what is pruned."""

    hot_hours: float = Field(
        24,
        gt=0,
        le=876_000,
        description="A memory is hot, kept whole, until it is this old. Age counts from the market"
        " time at which its fact became known, or from when it was last asked for. Hours,"
        " (0, 876000]",
    )
    warm_hours: float = Field(
        168,
        gt=0,
        le=876_000,
        description="Then it is warm, compressed, until it is this old. Hours, (0, 876000]",
    )
    cold_hours: float = Field(
        720,
        gt=0,
        le=876_000,
        description="Then it is cold, part of a summary, until it is this old; after that it is in"
        " the archive. Hours, (0, 876000]",
    )
    max_hot: int = Field(
        1_000, ge=0, description="Most hot memories; the oldest beyond it become warm. >= 0"
    )
    max_warm: int = Field(
        5_000, ge=0, description="Most warm memories; the oldest beyond it become cold. >= 0"
    )
    max_cold: int = Field(
        10_000, ge=0, description="Most cold memories; the oldest beyond it are archived. >= 0"
    )
    min_relevance_score: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Memories less relevant than this are pruned once they are not hot any more, if"
        " they were asked for fewer than twice and not for 7 days. 0 prunes none. [0, 1]",
    )
    similarity_threshold: float = Field(
        0.85,
        gt=0,
        le=1,
        description="Texts of one owner, kind and strategy whose vectors are at least this similar"
        " (cosine) say the same; one of them is kept. (0, 1]",
    )
    compression_ratio: float = Field(
        0.7,
        gt=0,
        le=1,
        description="A group of similar texts is pruned only if that leaves at most this share of"
        " its bytes. (0, 1]",
    )
    max_patterns: int = Field(500, ge=0, description="Most patterns that are kept. >= 0")
    pattern_threshold: int = Field(
        5,
        ge=2,
        description="Fewest trades of a pattern; those that overlap count as one. >= 2",
    )
    min_confidence: float = Field(
        0.7,
        ge=0,
        le=1,
        description="A pattern is told of only if its sign is right with at least this probability."
        " [0, 1]",
    )

    @model_validator(mode="after")
    def _ages_in_order(self) -> Self:
        if not self.hot_hours <= self.warm_hours <= self.cold_hours:
            raise ValueError(
                "hot_hours, warm_hours and cold_hours must not decrease, got "
                f"{self.hot_hours:g}, {self.warm_hours:g}, {self.cold_hours:g}"
            )
        return self
