"""The `"alerts"` block: which messages a bot sends to its owner."""

from __future__ import annotations

from pydantic import Field

from freqtrade_mem0.config.block import Block


class AlertSettings(Block):
    """What a bot tells through Freqtrade's channels (Telegram, webhook, Discord)."""

    memory: bool = Field(
        default=True,
        description="Tell when the journal or Mem0 can not be used for a while, when Mem0 refuses"
        " a record, and when that is over.",
    )
    risk: bool = Field(default=True, description="Tell of risk events.")
    stake_change: float | None = Field(
        None,
        gt=0,
        le=10,
        description="Tell when a stake was scaled by more than this: 0.5 tells of stakes below x0.5"
        " and above x1.5, and of refused entries. null never does. (0, 10]",
    )
    daily_hour: int | None = Field(
        None,
        ge=0,
        le=23,
        description="Hour of the day at which a bot reports on the last day: trades, what memory"
        " changed, whether it helped; null never does. UTC, [0, 23]",
    )
    interval_s: float = Field(
        3600,
        ge=1,
        le=604_800,
        description="Shortest time between two alerts of one kind. Seconds, [1, 604800]",
    )

    @property
    def wants_any(self) -> bool:
        """Whether anything is to be told at all."""
        wants_one = self.stake_change is not None or self.daily_hour is not None
        return self.memory or self.risk or wants_one
