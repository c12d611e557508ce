"""The `"risk"` block: what is done about risk events."""

from __future__ import annotations

from pydantic import Field, model_validator

from freqtrade_mem0.config.block import Block

_SEVERITY = "Share of a stake that such an event takes at first. [0, 1)"


class SeveritySettings(Block):
    """By event, the share of a stake that it takes at first."""

    liquidation: float = Field(0.5, ge=0, lt=1, description=_SEVERITY)
    drawdown: float = Field(0.3, ge=0, lt=1, description=_SEVERITY)
    stop_loss: float = Field(0, ge=0, lt=1, description=_SEVERITY)
    stop_loss_cluster: float = Field(0, ge=0, lt=1, description=_SEVERITY)
    losing_streak: float = Field(0, ge=0, lt=1, description=_SEVERITY)
    win_rate_degradation: float = Field(0, ge=0, lt=1, description=_SEVERITY)
    volatility_regime_change: float = Field(0, ge=0, lt=1, description=_SEVERITY)
    protection_lock: float = Field(0, ge=0, lt=1, description=_SEVERITY)
    emergency_exit: float = Field(0, ge=0, lt=1, description=_SEVERITY)
    force_exit: float = Field(0, ge=0, lt=1, description=_SEVERITY)


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
        description="After so many market days half of an event's damping has worn off."
        " [0.01, 3650]",
    )
    severity: SeveritySettings = Field(
        default_factory=SeveritySettings,
        description="How much each event takes. Several active events multiply; the result stays"
        " above `sizing.min_multiplier`.",
    )


class RiskSettings(Block):
    """What is done about risk events."""

    damping: DampingSettings = Field(
        default_factory=DampingSettings, description="How risk events damp stakes."
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
