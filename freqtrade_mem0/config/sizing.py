"""The keys of `"sizing"` in the `"mem0"` block: how a stake follows from memory.

Keys that only one policy reads are in a block named after that policy. The block is the class
`Settings` of the policy's module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import Field, ValidationInfo, create_model, field_validator, model_validator

from freqtrade_mem0.config.block import Block, PolicyBlock
from freqtrade_mem0.config.discovery import modules_in
from freqtrade_mem0.config.policies import PACKAGE, refuse_unknown_policy

B = TypeVar("B", bound=PolicyBlock)


class _CommonSettings(Block):
    """How stakes are scaled."""

    policy: str = Field(
        "split",
        description="How a stake follows from memory: `split`, which follows the experts of"
        " `sizing.split` as far as they have earned it, `response`, `bayes`, `kelly`, `rules`, the"
        " name of a policy of your own, or `off`, which leaves every stake as proposed.",
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
        description="Half-life of a trade's weight in market days. [1, 3650]",
    )
    pseudo_trades: float = Field(
        100,
        gt=0,
        le=10_000,
        description="Shrinkage without evidence: with this many trades, half of a group's deviation"
        " (a pair's, a tag's, ...) from the strategy's mean is believed. The data replace this as"
        " they show how much the groups of a level differ. (0, 10000]",
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
        description="Weight of a prior's trades, and of dry-run trades in a live bot. [0.001, 1]",
    )
    veto_below: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Refuse an entry altogether where its multiplier would be below this; null"
        " never does. A bot in shadow refuses nothing. Above `sizing.min_multiplier`, (0, 1]",
    )
    trial_rules: tuple[dict[str, Any], ...] = Field(
        (),
        description="Learned rules that act in backtests and hyperopt, in the form of"
        " `freqtrade-mem0 agent propose`, as `compare --rule` tries them. Bots take no rule from"
        " here: theirs are those that `freqtrade-mem0 agent approve` approved.",
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
        description="By what trades are grouped below the strategy: `pair`, `side`, `enter_tag`,"
        " the name of a feature of the situation (an indicator stands for its bucket), or several"
        " of them combined by `*`.",
    )

    @property
    def policies(self) -> tuple[str, ...]:
        """The policy, and the experts that it follows."""
        experts = getattr(getattr(self, self.policy, None), "experts", {})
        return (self.policy, *experts)

    def block(self, kind: type[B]) -> B:
        """Return the block of one policy."""
        return next(value for _, value in self if isinstance(value, kind))

    @field_validator("policy")
    @classmethod
    def _is_known(cls, policy: str) -> str:
        refuse_unknown_policy(policy)
        return policy

    @field_validator("*")
    @classmethod
    def _fits_common_keys(cls, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, PolicyBlock):
            value.check(info.data)
        return value

    @model_validator(mode="after")
    def _a_veto_can_happen(self) -> _CommonSettings:
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


if TYPE_CHECKING:
    SizingSettings = _CommonSettings
else:
    _blocks = {
        name: module.Settings
        for name, module in modules_in(PACKAGE).items()
        if hasattr(module, "Settings")
    }
    SizingSettings = create_model(
        "SizingSettings",
        __base__=_CommonSettings,
        __module__=__name__,
        __doc__=_CommonSettings.__doc__,
        **{
            name: (block, Field(default_factory=block.model_construct, description=block.__doc__))
            for name, block in _blocks.items()
        },
    )
