"""The `"service"` block: where the HTTP service listens, whom it answers, its schedule."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Self

from pydantic import Field, field_validator, model_validator

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.bot_settings import BotSettings


class ServiceSettings(Block):
    """What `freqtrade-mem0 serve` does."""

    host: str = Field("127.0.0.1", min_length=1, description="Address. MEM0_HOST overrides it.")
    port: int = Field(8080, ge=1, le=65_535, description="Port. MEM0_PORT overrides it.")
    allowed_hosts: tuple[str, ...] = Field(
        (),
        description="Further names under which it is asked, such as `mem0` in Docker. `localhost`"
        " and `host` always are; requests for any other name are refused.",
    )
    certificate: Path | None = Field(
        None, description="File of a TLS certificate and its chain, in PEM form."
    )
    certificate_key: Path | None = Field(
        None, description="File of the certificate's private key, in PEM form."
    )
    trusted_proxies: tuple[str, ...] = Field(
        ("127.0.0.1",),
        description="Addresses or networks of proxies that say who asks (X-Forwarded-For); with"
        " `--behind-proxy`.",
    )
    requests_per_minute: int = Field(
        30_000,
        ge=1,
        le=10_000_000,
        description="Most requests of one key from one address. [1, 10000000]",
    )
    maintain_hours: float | None = Field(
        24,
        gt=0,
        le=8_760,
        description="How often it does what `freqtrade-mem0 maintain` does, backups of"
        " `backup.every_days` included. Hours, (0, 8760], or null for never.",
    )
    bots: dict[str, BotSettings] = Field(
        default_factory=dict,
        description="Bots whose positions the dashboard shows, by their `bot_id`. Without any, the"
        " bot of this config is asked, where its `api_server` is enabled.",
    )

    @field_validator("trusted_proxies")
    @classmethod
    def _names_proxies(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            try:
                is_every = ip_network(each).prefixlen == 0
            except ValueError:
                is_every = True  # "*", or a name, which no address is ever compared with
            if is_every:
                raise ValueError(
                    f"{each!r} must be an address or a network, such as 172.18.0.0/16, and not "
                    "every address: each caller could then say that it is another one"
                )
        return given

    @model_validator(mode="after")
    def _has_both_files(self) -> Self:
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key belong together: set both")
        return self
