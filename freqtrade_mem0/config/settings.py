"""Every key of the `"mem0"` block, with its rule and its meaning.

The reference in `docs/reference/configuration.md` is generated from the descriptions here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator


class _Block(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=False, allow_inf_nan=False, hide_input_in_errors=True
    )


class SizingSettings(_Block):
    """How stakes are scaled."""

    policy: Literal["bayes", "off"] = Field(
        "bayes",
        description="How a stake follows from memory; `off` leaves every stake as proposed.",
    )
    shadow: bool = Field(
        default=False,
        description="Decide and record, but let every trade have the proposed stake.",
    )
    live: bool = Field(
        default=False,
        description="Let a live bot's stakes be scaled. Until this is true they run in shadow.",
    )
    min_multiplier: float = Field(
        0.25, gt=0, le=1, description="A stake is never scaled below this. (0, 1]"
    )
    max_multiplier: float = Field(
        1.75, ge=1, le=10, description="A stake is never scaled above this. [1, 10]"
    )
    half_life_days: float = Field(
        120,
        ge=1,
        le=3650,
        description="A trade this many market days old counts half. [1, 3650]",
    )
    pseudo_trades: float = Field(
        20,
        gt=0,
        le=10_000,
        description="How many trades a level needs to be believed halfway. (0, 10000]",
    )
    prior_discount: float = Field(
        0.5,
        ge=0.001,
        le=1,
        description="What a trade of a prior weighs, and a dry-run trade in a live bot. [0.001, 1]",
    )
    levels: tuple[str, ...] = Field(
        ("pair", "side", "enter_tag", "regime"),
        description="What is told apart below the strategy: `pair`, `side`, `enter_tag`, or the"
        " name of a feature of the situation.",
    )

    @field_validator("levels")
    @classmethod
    def _each_level_once(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        for level in levels:
            if levels.count(level) > 1:
                raise ValueError(f"{level!r} is named twice, so its trades would count twice")
        return levels


class CategorySettings(_Block):
    """Which categories of memory are written."""

    user_preferences: bool = Field(default=True, description="Preferences of the owner.")
    market_conditions: bool = Field(default=True, description="Market conditions.")
    strategy_performance: bool = Field(default=True, description="Closed trades, results.")
    risk_profile: bool = Field(default=True, description="Risk events.")
    portfolio_patterns: bool = Field(default=True, description="Patterns over the portfolio.")
    learning_insights: bool = Field(default=True, description="Insights and notes.")


_RETENTION = "Days, or null for ever. This version keeps everything, whatever stands here."


class RetentionSettings(_Block):
    """Days a memory of a category is kept; null keeps it for ever."""

    user_preferences: float | None = Field(None, gt=0, description=_RETENTION)
    market_conditions: float | None = Field(None, gt=0, description=_RETENTION)
    strategy_performance: float | None = Field(None, gt=0, description=_RETENTION)
    risk_profile: float | None = Field(None, gt=0, description=_RETENTION)
    portfolio_patterns: float | None = Field(None, gt=0, description=_RETENTION)
    learning_insights: float | None = Field(None, gt=0, description=_RETENTION)


class DeliverySettings(_Block):
    """How records travel from the journal to Mem0."""

    batch_size: int = Field(500, ge=1, le=10_000, description="Records per write. [1, 10000]")
    flush_timeout_s: float = Field(
        60,
        ge=0,
        le=3600,
        description="Longest time a command waits at its end for delivery; what is left is"
        " delivered by the next process. Seconds, [0, 3600]",
    )
    retry_s: float = Field(
        30, ge=1, le=3600, description="Pause after a failed write. Seconds, [1, 3600]"
    )


class ProviderSettings(_Block):
    """A provider in Mem0's own form, handed to Mem0 as it is."""

    provider: str = Field(description="Mem0's name of the provider.")
    config: dict[str, Any] = Field(
        default_factory=dict, description="Mem0's own settings of that provider."
    )


class Settings(_Block):
    """The `"mem0"` block."""

    enabled: bool = Field(default=True, description="False switches memory off altogether.")
    mode: Literal["embedded", "local"] = Field(
        "embedded",
        description="Where memories live: `embedded` is Mem0 in a local file, `local` the journal"
        " alone, without Mem0.",
    )
    path: Path | None = Field(
        None, description="Folder of journal and memories; default `<user_data>/mem0`."
    )
    user_id: str = Field("freqtrade", min_length=1, description="Owner of the memories.")
    bot_id: str | None = Field(
        None, min_length=1, description="Name of this bot; default Freqtrade's `bot_name`."
    )
    sync_interval: float = Field(
        60,
        ge=1,
        le=86_400,
        description="How often a bot looks for what others remembered and for trades it missed."
        " Seconds, [1, 86400]",
    )
    categories: CategorySettings = Field(
        default_factory=CategorySettings, description="Which categories are written."
    )
    sizing: SizingSettings = Field(
        default_factory=SizingSettings, description="How stakes are scaled."
    )
    retention: RetentionSettings = Field(
        default_factory=RetentionSettings, description="How long memories are kept."
    )
    delivery: DeliverySettings = Field(
        default_factory=DeliverySettings, description="How records travel to Mem0."
    )
    vector_store: ProviderSettings | None = Field(
        None, description="Another vector store for the embedded Mem0, in Mem0's own form."
    )
    embedder: ProviderSettings | None = Field(
        None, description="Another embedder for the embedded Mem0, in Mem0's own form."
    )
    llm: ProviderSettings | None = Field(
        None, description="A language model for Mem0, in Mem0's own form. Never used for a stake."
    )
    knowledge: str | None = Field(
        None,
        description="Set by the mixin: a fingerprint of what a run's stakes depend on, so that"
        " Freqtrade never serves a cached result computed with other knowledge. Leave it out.",
    )

    @field_validator("user_id", "bot_id")
    @classmethod
    def _holds_no_blanks(cls, value: str | None) -> str | None:
        if value is not None and any(map(str.isspace, value)):
            raise ValueError("must hold no blanks (a rule of Mem0)")
        return value
