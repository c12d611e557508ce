"""Every key of the `"mem0"` block, with its default, range and description.

`docs/reference/configuration.md` is generated from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from freqtrade_mem0.config.alert_settings import AlertSettings
from freqtrade_mem0.config.backup_settings import BackupSettings
from freqtrade_mem0.config.block import WHEN_GIVEN, Block, PolicyBlock
from freqtrade_mem0.config.drift_settings import DriftSettings
from freqtrade_mem0.config.encryption_settings import EncryptionSettings
from freqtrade_mem0.config.frequi_settings import FreqUISettings
from freqtrade_mem0.config.lifecycle_settings import (
    ImportanceSettings,
    LifecycleSettings,
    RetentionSettings,
)
from freqtrade_mem0.config.modes import refuse_unknown_mode
from freqtrade_mem0.config.reflection_settings import ReflectionSettings
from freqtrade_mem0.config.risk_settings import RiskSettings
from freqtrade_mem0.config.service_settings import ServiceSettings
from freqtrade_mem0.config.session_settings import SessionSettings
from freqtrade_mem0.config.situation_settings import SituationSettings
from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.config.trust_settings import TrustSettings
from freqtrade_mem0.config.webhook_settings import WebhookSettings


class CategorySettings(Block):
    """Which categories of memory are written."""

    user_preferences: bool = Field(default=True, description="Preferences of the owner.")
    market_conditions: bool = Field(default=True, description="Market conditions.")
    strategy_performance: bool = Field(default=True, description="Closed trades, results.")
    risk_profile: bool = Field(default=True, description="Risk events.")
    portfolio_patterns: bool = Field(default=True, description="Patterns over the portfolio.")
    learning_insights: bool = Field(default=True, description="Insights and notes.")


class DeliverySettings(Block):
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
        5,
        ge=0.1,
        le=3600,
        description="Pause after a failed write; it doubles with each further one. Seconds,"
        " [0.1, 3600]",
    )
    max_retry_s: float = Field(
        300,
        ge=0.1,
        le=86_400,
        description="Longest pause between attempts. Seconds, [0.1, 86400]",
    )
    breaker_failures: int = Field(
        5,
        ge=1,
        le=1000,
        description="Failed writes in a row before the circuit breaker opens; then one record is"
        " tried after each pause, until one is accepted. [1, 1000]",
    )


class CacheSettings(Block):
    """Answers repeated to scripts and services without asking Mem0 again."""

    ttl_s: float = Field(
        0,
        ge=0,
        le=3600,
        description="How long an answer is cached; what other processes write may be seen that much"
        " later, what is written through the same client is seen at once. 0 disables the cache."
        " Never used for a stake. Seconds, [0, 3600]",
    )
    max_memories: int = Field(
        10_000,
        ge=1,
        le=1_000_000,
        description="Largest number of cached memories; the least recently used are dropped first."
        " [1, 1000000]",
    )


class AgentSettings(Block):
    """Decisions that agents log, and the files of their memory."""

    write_files: bool = Field(
        default=False,
        description="Append to `core_memory_updates.txt`, and keep `parameter_updates.json`, in the"
        " memory's folder as things happen: by agents, by bots (never in a callback) and by"
        " `freqtrade-mem0 maintain`. `freqtrade-mem0 agent export` writes both at any time.",
    )

    due_hours: float | None = Field(
        24,
        gt=0,
        le=87_600,
        description="When the outcome of an agent's decision is looked up in stored candles, unless"
        " the decision says when, or a bot's trade or a result tells it before. Hours after the"
        " decision, (0, 87600], or null for never",
    )


class ProviderSettings(Block):
    """A provider in Mem0's own form, handed to Mem0 as it is."""

    provider: str = Field(description="Mem0's name of the provider.")
    config: dict[str, Any] = Field(
        default_factory=dict,
        description="Mem0's own settings of that provider. A text `env:NAME` stands for the"
        " environment variable NAME; passwords and keys must be given this way.",
    )


class Settings(Block):
    """The `"mem0"` block."""

    enabled: bool = Field(default=True, description="False switches memory off altogether.")
    mode: str = Field(
        "embedded",
        description="Where memories live: `embedded` is Mem0 in a local file, `server` a"
        " self-hosted Mem0 (`host`) or a database server that Mem0 uses (`vector_store`),"
        " `platform` the Mem0 cloud, `local` the journal alone, without Mem0.",
    )
    host: str | None = Field(
        None,
        min_length=1,
        description="Mode `server`: name or address of a self-hosted Mem0 REST server, such as"
        " `mem0.lan` or `https://mem0.example.org`. MEM0_URL in the environment overrides it."
        " Mode `platform`: another address of the platform's API.",
    )
    port: int | None = Field(
        None,
        ge=1,
        le=65_535,
        description="Port of that server; default as in `host`, else 8888.",
    )
    timeout_s: float = Field(
        10,
        ge=0.1,
        le=300,
        description="Longest wait for one answer of a server or the platform. Never spent in a"
        " trading callback. Seconds, [0.1, 300]",
    )
    local_fallback: bool = Field(
        default=True,
        description="Whether scripts and services get their answers from the journal while Mem0 is"
        " away. If false, they get an error. What is written waits in the journal either way.",
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
    categories: Annotated[CategorySettings, WHEN_GIVEN] = Field(
        default_factory=CategorySettings.model_construct,
        description="Which categories are written.",
    )
    situation: Annotated[SituationSettings, WHEN_GIVEN] = Field(
        default_factory=SituationSettings.model_construct,
        description="What an entry is described by.",
    )
    sizing: Annotated[SizingSettings, WHEN_GIVEN] = Field(
        default_factory=SizingSettings.model_construct, description="How stakes are scaled."
    )
    risk: Annotated[RiskSettings, WHEN_GIVEN] = Field(
        default_factory=RiskSettings.model_construct, description="What is done about risk events."
    )
    drift: Annotated[DriftSettings, WHEN_GIVEN] = Field(
        default_factory=DriftSettings.model_construct,
        description="Whether trades still are what their history said.",
    )
    retention: Annotated[RetentionSettings, WHEN_GIVEN] = Field(
        default_factory=RetentionSettings.model_construct,
        description="How long memories are kept when `freqtrade-mem0 maintain` runs.",
    )
    importance: Annotated[ImportanceSettings, WHEN_GIVEN] = Field(
        default_factory=ImportanceSettings.model_construct,
        description="How much each category matters.",
    )
    lifecycle: Annotated[LifecycleSettings, WHEN_GIVEN] = Field(
        default_factory=LifecycleSettings.model_construct,
        description="How memories age when `freqtrade-mem0 maintain` runs.",
    )
    backup: Annotated[BackupSettings, WHEN_GIVEN] = Field(
        default_factory=BackupSettings.model_construct, description="Backups of the memory."
    )
    delivery: Annotated[DeliverySettings, WHEN_GIVEN] = Field(
        default_factory=DeliverySettings.model_construct, description="How records travel to Mem0."
    )
    alerts: Annotated[AlertSettings, WHEN_GIVEN] = Field(
        default_factory=AlertSettings.model_construct, description="What a bot tells its owner."
    )
    frequi: Annotated[FreqUISettings, WHEN_GIVEN] = Field(
        default_factory=FreqUISettings.model_construct, description="What a bot shows in FreqUI."
    )
    webhooks: Annotated[WebhookSettings, WHEN_GIVEN] = Field(
        default_factory=WebhookSettings.model_construct,
        description="What is told to other systems, and taken from them.",
    )
    service: Annotated[ServiceSettings, WHEN_GIVEN] = Field(
        default_factory=ServiceSettings.model_construct,
        description="What `freqtrade-mem0 serve` does.",
    )
    trust: Annotated[TrustSettings, WHEN_GIVEN] = Field(
        default_factory=TrustSettings.model_construct,
        description="Whose records from Mem0 may count.",
    )
    encryption: Annotated[EncryptionSettings, WHEN_GIVEN] = Field(
        default_factory=EncryptionSettings.model_construct,
        description="Whether the memory's files are encrypted.",
    )
    session: Annotated[SessionSettings, WHEN_GIVEN] = Field(
        default_factory=SessionSettings.model_construct,
        description="Memory that ends after a time.",
    )
    reflection: Annotated[ReflectionSettings, WHEN_GIVEN] = Field(
        default_factory=ReflectionSettings.model_construct,
        description="Findings worded by a language model.",
    )
    agents: Annotated[AgentSettings, WHEN_GIVEN] = Field(
        default_factory=AgentSettings.model_construct, description="Decisions that agents log."
    )
    cache: Annotated[CacheSettings, WHEN_GIVEN] = Field(
        default_factory=CacheSettings.model_construct,
        description="Answers repeated to scripts and services.",
    )
    vector_store: ProviderSettings | None = Field(
        None,
        description="Another vector store for Mem0 in this process (modes `embedded` and"
        " `server`), in Mem0's own form. In mode `server`, QDRANT_URL in the environment stands"
        " for Qdrant at that address.",
    )
    embedder: ProviderSettings | None = Field(
        None,
        description="Another embedder for Mem0 in this process, in Mem0's own form. Ours are"
        " `wordllama` (by meaning; the default in our own store where it is installed) and"
        " `hashing` (by shared words).",
    )
    llm: ProviderSettings | None = Field(
        None, description="A language model for Mem0, in Mem0's own form. Never used for a stake."
    )
    reranker: ProviderSettings | None = Field(
        None, description="A reranker for searches by hand, in Mem0's own form."
    )
    knowledge: str | None = Field(
        None,
        description="Set by the mixin: a fingerprint of what a run's stakes depend on, so that"
        " Freqtrade never serves a cached result computed with other knowledge. Leave it out.",
    )

    @field_validator("mode", mode="before")
    @classmethod
    def _is_mode(cls, value: Any) -> Any:
        refuse_unknown_mode(value)
        return value

    @field_validator("sizing")
    @classmethod
    def _names_indicators(cls, sizing: SizingSettings, info: ValidationInfo) -> SizingSettings:
        if "situation" in info.data:  # missing where it is wrong itself
            situation: SituationSettings = info.data["situation"]
            situation.refuse_unknown(sizing.levels, "levels")
            for name, block in sizing:
                if isinstance(block, PolicyBlock):
                    situation.refuse_unknown(block.features(), name)
        return sizing

    @field_validator("user_id", "bot_id")
    @classmethod
    def _holds_no_blanks(cls, value: str | None) -> str | None:
        if value is not None and any(map(str.isspace, value)):
            raise ValueError("must hold no blanks (a rule of Mem0)")
        if value == "*":
            raise ValueError("must be a name; as a filter of Mem0 it means everybody")
        return value
