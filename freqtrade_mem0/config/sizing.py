"""The keys of `"sizing"` in the `"mem0"` block: how a stake follows from memory."""

from __future__ import annotations

from pydantic import Field, ValidationInfo, field_validator, model_validator

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.policies import refuse_unknown_policy


class KellySettings(Block):
    """Numbers of the policy `kelly`."""

    fraction: float = Field(
        0.5,
        gt=0,
        le=1,
        description="How far Kelly's stake is followed; 0.5 is halfway between it and the proposal."
        " (0, 1]",
    )
    edge: float = Field(
        0.1,
        ge=0.001,
        le=10,
        description="The expected profit of a trade for which the proposal is right, in root mean"
        " squares of the strategy's profit ratios. [0.001, 10]",
    )


class RuleSettings(Block):
    """Thresholds and factors of the policy `rules`; a threshold of null switches its rule off."""

    min_trades: float = Field(
        20,
        ge=1,
        le=100_000,
        description="Decayed trades a win rate needs to be looked at. [1, 100000]",
    )
    win_rate_levels: tuple[str, ...] = Field(
        (),
        description="Names of `levels` whose own win rates count beside the strategy's, such as"
        " `pair`.",
    )
    low_win_rate: float | None = Field(
        0.45,
        ge=0,
        le=1,
        description="A share of winning trades below this is low, or null. [0, 1]",
    )
    low_win_rate_factor: float = Field(
        0.7, gt=0, le=1, description="Factor on the stake at a low win rate. (0, 1]"
    )
    high_win_rate: float | None = Field(
        0.6,
        ge=0,
        le=1,
        description="A share of winning trades above this is high, or null. [0, 1]",
    )
    high_win_rate_factor: float = Field(
        1.2, ge=1, le=10, description="Factor on the stake at a high win rate. [1, 10]"
    )
    losing_streak: int | None = Field(
        5,
        ge=1,
        le=1000,
        description="So many losing trades in a row are a streak, or null. [1, 1000]",
    )
    losing_streak_factor: float = Field(
        0.7, gt=0, le=1, description="Factor on the stake in a losing streak. (0, 1]"
    )
    drawdown: float | None = Field(
        10,
        gt=0,
        le=1000,
        description="The strategy is in a drawdown when the sum of its profit ratios is further"
        " than this below its highest, in their root mean squares, or null. (0, 1000]",
    )
    drawdown_factor: float = Field(
        0.7, gt=0, le=1, description="Factor on the stake in a drawdown. (0, 1]"
    )
    high_volatility: float | None = Field(
        0.9,
        ge=0,
        le=1,
        description="A rank of the volatility at entry above this is high, or null. [0, 1]",
    )
    high_volatility_factor: float = Field(
        0.8, gt=0, le=1, description="Factor on the stake at high volatility. (0, 1]"
    )


class SizingSettings(Block):
    """How stakes are scaled."""

    policy: str = Field(
        "bayes",
        description="How a stake follows from memory: `bayes`, `kelly`, `rules`, the name of a"
        " policy of your own, or `off`, which leaves every stake as proposed.",
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
        365,
        ge=1,
        le=3650,
        description="A trade this many market days old counts half. [1, 3650]",
    )
    pseudo_trades: float = Field(
        100,
        gt=0,
        le=10_000,
        description="How many trades a group (a pair, a tag, ...) needs to be believed halfway, as"
        " long as nothing is known about how much the groups of its level differ. (0, 10000]",
    )
    brake_after: float = Field(
        2,
        ge=0,
        le=100,
        description="Standard errors of loss beyond which all stakes of the strategy are damped."
        " [0, 100]; 100 never does.",
    )
    prior_discount: float = Field(
        0.5,
        ge=0.001,
        le=1,
        description="What a trade of a prior weighs, and a dry-run trade in a live bot. [0.001, 1]",
    )
    veto_below: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Refuse an entry altogether where its multiplier would be below this; null"
        " never does. A bot in shadow refuses nothing. Above `sizing.min_multiplier`, (0, 1]",
    )
    levels: tuple[str, ...] = Field(
        (
            "pair",
            "side",
            "enter_tag",
            "session",
            "volatility_regime",
            "trend_regime",
            "volatility_regime*trend_regime",
            "side*trend_regime",
            "enter_tag*trend_regime",
        ),
        description="What is told apart below the strategy: `pair`, `side`, `enter_tag`, the name"
        " of a feature of the situation, or several of them combined by `*`.",
    )

    kelly: KellySettings = Field(
        default_factory=KellySettings, description="Numbers of the policy `kelly`."
    )
    rules: RuleSettings = Field(
        default_factory=RuleSettings, description="Thresholds and factors of the policy `rules`."
    )

    @field_validator("policy")
    @classmethod
    def _is_known(cls, policy: str) -> str:
        refuse_unknown_policy(policy)
        return policy

    @field_validator("rules")
    @classmethod
    def _looks_at_levels_there_are(cls, rules: RuleSettings, info: ValidationInfo) -> RuleSettings:
        levels = info.data.get("levels", rules.win_rate_levels)
        for level in rules.win_rate_levels:
            if level not in levels:
                raise ValueError(
                    f"win_rate_levels names {level!r}, which is not among sizing.levels: "
                    f"{', '.join(levels)}"
                )
        return rules

    @model_validator(mode="after")
    def _a_veto_can_happen(self) -> SizingSettings:
        if self.veto_below is not None and self.veto_below <= self.min_multiplier:
            raise ValueError(
                f"veto_below is {self.veto_below:g}, but no multiplier is below min_multiplier, "
                f"{self.min_multiplier:g}: nothing would ever be refused"
            )
        return self

    @field_validator("levels")
    @classmethod
    def _each_level_once(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        for level in levels:
            if levels.count(level) > 1:
                raise ValueError(f"{level!r} is named twice, so its trades would count twice")
        return levels
