"""The block `"session"`: memory that ends after a time."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import Block


class SessionSettings(Block):
    """Session memory of scripts and agents. No stake depends on it."""

    store: Literal["in_process", "sqlite", "redis"] = Field(
        "in_process",
        description="Where values are kept: `in_process`, `sqlite` (a file in the memory's folder,"
        " for several processes) or `redis` (for several machines; needs the extra `redis`).",
    )
    ttl_s: float = Field(
        3_600,
        gt=0,
        le=31_622_400,
        description="How long a value is kept unless a call says otherwise. Seconds, (0, 31622400]",
    )
    refresh_on_read: bool = Field(
        default=False, description="Whether reading a value begins its time anew."
    )
    max_keys: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Most values of `in_process`; of more, the one that ends first goes."
        " [1, 1000000]",
    )
    url: str = Field(
        "redis://localhost:6379",
        description="Address of Redis. REDIS_URL in the environment overrides it; a password"
        " belongs there.",
    )
    prefix: str = Field("freqtrade_mem0:", description="Beginning of all keys in Redis.")

    @field_validator("url")
    @classmethod
    def _has_no_password(cls, value: str) -> str:
        if "@" in value or "?" in value:
            raise ValueError(
                "must be an address without user, password and query: Freqtrade copies the config"
                " into every backtest result. Put it into REDIS_URL"
            )
        return value
