"""Where events are sent: the endpoints of the config and of two variables of the environment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from freqtrade_mem0.config.secrets import PREFIX, resolved
from freqtrade_mem0.config.variables import variables
from freqtrade_mem0.config.webhook_settings import EndpointSettings, checked_url, secret_text
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.webhooks.signature import key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.config.webhook_settings import WebhookSettings

NOTIFY = "/api/v1/notify"
"""The route of a controller that takes events, where its address names none."""

_VARIABLES = {
    "controller": ("CONTROLLER_URL", "CONTROLLER_WEBHOOK_SECRET"),
    "n8n": ("N8N_WEBHOOK_URL", "N8N_WEBHOOK_SECRET"),
}
"""Endpoints that variables stand for: the address, and the secret, which may be missing."""

_KEY = "mem0.webhooks.endpoints"


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One endpoint, whose config was checked.

    Parameters
    ----------
    name
        In the config.
    url
        Where it is; it may hold a secret.
    settings
        As in the config.
    """

    name: str
    url: str
    settings: EndpointSettings

    @property
    def shown(self) -> str:
        """The address without its path and query, which may be a secret."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def is_signed(self) -> bool:
        """Whether what is sent has a signature."""
        return self.settings.secret is not None

    def wants(self, event_type: str) -> bool:
        """Return whether events of a type are sent there."""
        chosen = self.settings.events
        return not chosen or event_type in chosen or event_type.partition(".")[0] in chosen

    def keys(self) -> list[bytes]:
        """Return the keys that sign, read anew; `ConfigError` where one is not there or wrong."""
        return keys(self.settings, f"{_KEY}.{self.name}")


def keys(block: EndpointSettings, name: str) -> list[bytes]:
    """Return the keys of a block's secrets; `ConfigError` where one is not there or wrong."""
    given = {"secret": block.secret, "old_secret": block.old_secret}
    return [
        key_of(secret_text(text, f"{name}.{which}"), f"{name}.{which}")
        for which, text in given.items()
        if text is not None
    ]


def endpoints(settings: Settings, environ: Mapping[str, str] | None = None) -> list[Endpoint]:
    """Return the endpoints that events are sent to, by name; none where webhooks are off.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    environ
        Default: the environment and `.env.mem0`.

    Raises
    ------
    ConfigError
        An address or a secret that the config names is not there, or wrong.
    """
    if not settings.enabled or not settings.webhooks.enabled:
        return []
    return configured(settings.webhooks, environ)


def configured(
    webhooks: WebhookSettings, environ: Mapping[str, str] | None = None
) -> list[Endpoint]:
    """Return the endpoints as `endpoints` does, also where webhooks are off."""
    env = variables() if environ is None else environ
    blocks = dict(webhooks.endpoints)
    for name, (url, secret) in _VARIABLES.items():
        if env.get(url, "").strip() and name not in blocks:
            blocks[name] = EndpointSettings(
                url=f"{PREFIX}{url}",
                secret=f"{PREFIX}{secret}" if env.get(secret, "").strip() else None,
            )
    found = [
        Endpoint(name=name, url=_url(name, block, env), settings=block)
        for name, block in sorted(blocks.items())
    ]
    for each in found:
        each.keys()  # a secret that is missing is said at the start
    return found


def _url(name: str, block: EndpointSettings, env: Mapping[str, str]) -> str:
    if not block.url.startswith(PREFIX):
        return block.url
    url = str(resolved({"url": block.url}, f"{_KEY}.{name}", env)["url"]).strip()
    variable = block.url.removeprefix(PREFIX)
    try:
        checked_url(url)
    except ValueError as error:
        raise ConfigError(f"The variable {variable} {error}.") from None
    if variable == _VARIABLES["controller"][0] and urlsplit(url).path in ("", "/"):
        return url.rstrip("/") + NOTIFY
    return url
