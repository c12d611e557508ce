"""The `"risk"` block: what is done about risk events."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, create_model, model_validator

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.discovery import modules_in

if TYPE_CHECKING:
    SeveritySettings = Block
else:
    SeveritySettings = create_model(
        "SeveritySettings",
        __base__=Block,
        __module__=__name__,
        __doc__="By type of event, the share of a stake that an event takes at first.",
        **{
            name: (
                float,
                Field(
                    module.EVENT.severity,
                    ge=0,
                    lt=1,
                    description="Share of a stake that such an event takes at first. [0, 1)",
                ),
            )
            for name, module in modules_in("freqtrade_mem0.risk.events").items()
            if not module.EVENT.is_drift
        },
    )


class DampingSettings(Block):
    """How risk events damp stakes."""

    enabled: bool = Field(
        default=False,
        description="Let risk events damp the stakes that follow. In trials on real candles smaller"
        " stakes after losses earned nothing, so by default events are noted and nothing is damped;"
        " to bet less after a liquidation or in a drawdown is the owner's choice. Nothing is damped"
        " where `sizing.policy` is `off`.",
    )
    half_life_days: float = Field(
        7,
        ge=0.01,
        le=3650,
        description="Market days in which half of an event's damping wears off. [0.01, 3650]",
    )
    severity: SeveritySettings = Field(
        default_factory=SeveritySettings.model_construct,
        description="How much each type of event takes. Several active events multiply; the result"
        " stays above `sizing.min_multiplier`.",
    )


class RiskSettings(Block):
    """What is done about risk events."""

    damping: DampingSettings = Field(
        default_factory=DampingSettings.model_construct, description="How risk events damp stakes."
    )
    leverage: bool = Field(
        default=False,
        description="On futures, damp the strategy's leverage in the same way (never below 1)."
        " Needs `risk.damping.enabled`.",
    )

    @model_validator(mode="after")
    def _leverage_needs_damping(self) -> RiskSettings:
        if self.leverage and not self.damping.enabled:
            raise ValueError(
                "leverage is true, but nothing damps it; set damping.enabled to true as well"
            )
        return self
