"""A bot that the dashboard asks for its positions, in `service.bots`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.secrets import PREFIX, resolved

if TYPE_CHECKING:
    from collections.abc import Mapping


class BotSettings(Block):
    """Where a bot's REST API is (`api_server` in the bot's config), and who asks it."""

    url: str = Field(
        description="Address of the bot's REST API, as in `http://127.0.0.1:8081`. It is asked by"
        " the service, and only with GET."
    )
    username: str = Field("", description="`api_server.username` of the bot.")
    password: str | None = Field(
        None,
        description="`env:NAME` names an environment variable with `api_server.password`.",
    )

    @field_validator("url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise ValueError("must begin with http:// or https://, and hold no user or password")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("must end with the port: the service knows the paths of the API")
        return value.rstrip("/")

    @field_validator("password")
    @classmethod
    def _names_a_variable(cls, value: str | None) -> str | None:
        if value is not None and not value.removeprefix(PREFIX).strip():
            raise ValueError(f'must name an environment variable, as in "{PREFIX}BOT_PASSWORD"')
        if value is not None and not value.startswith(PREFIX):
            raise ValueError(f'must be "{PREFIX}NAME": the config holds no password')
        return value

    def secret(self, environ: Mapping[str, str] | None = None) -> str:
        """Return the password itself, "" without one; raise `ConfigError` where it is not set."""
        if self.password is None:
            return ""
        found: str = resolved({"password": self.password}, "mem0.service.bots", environ)["password"]
        return found
