"""The block `"reflection"`: a language model that words what statistics found."""

from __future__ import annotations

from pydantic import Field

from freqtrade_mem0.config.block import Block


class ReflectionSettings(Block):
    """Wording of findings by the model of `llm`, on request. No stake depends on it."""

    enabled: bool = Field(
        default=False,
        description="Whether `freqtrade-mem0 reflect` may send findings (patterns, performance,"
        " lessons) to the model of `mem0.llm`. Nothing else does.",
    )
    calls_per_day: int = Field(
        10, ge=1, le=10_000, description="Most calls of a UTC day. [1, 10000]"
    )
    tokens_per_day: int = Field(
        50_000,
        ge=1_000,
        le=100_000_000,
        description="Most tokens of a UTC day, question and longest answer together, estimated at"
        " three bytes a token before each call. [1000, 100000000]",
    )
    max_tokens: int = Field(
        1_000, ge=100, le=32_000, description="Longest answer, in tokens. [100, 32000]"
    )
    timeout_s: float = Field(
        60, gt=0, le=600, description="Longest wait for an answer. Seconds, (0, 600]"
    )
