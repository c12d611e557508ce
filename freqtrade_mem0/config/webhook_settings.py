"""The `"webhooks"` block: which events are sent where, and whose webhooks are taken."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from freqtrade_mem0.config.block import Block
from freqtrade_mem0.config.secrets import PREFIX, resolved
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = "file:"

EVENTS = {
    "trade.closed": "a bot's trade has closed",
    "trade.corrected": "the record of a trade that was sent before has changed",
    "risk.event": "a risk event, such as a stop loss or a drawdown",
    "drift.triggered": "trades are no longer as their history said",
    "stake.changed": "memory changed a stake by more than `webhooks.stake_change`, or refused an"
    " entry",
    "memory.trouble": "Mem0 can not be reached, or refuses records",
    "memory.recovered": "that is over",
    "pattern.found": "a pattern in a bot's trades was found",
    "pattern.withdrawn": "the evidence for a pattern no longer suffices",
    "job.done": "a job of the service has ended",
    "job.failed": "a job of the service has failed",
}
"""Types of events, and when they are sent."""

_GROUPS = sorted({name.partition(".")[0] for name in EVENTS})
_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_SECRET = (
    f"`{PREFIX}NAME` names an environment variable, `{FILE}/path` a file with the secret, which"
    " begins with `whsec_`. `freqtrade-mem0 webhooks secret` makes one."
)


class _WithSecrets(Block):
    """A block with a secret, and the one before it, which still counts."""

    @field_validator("secret", "old_secret", check_fields=False)
    @classmethod
    def _is_elsewhere(cls, given: str | None) -> str | None:
        if given is not None and not given.startswith((PREFIX, FILE)):
            raise ValueError(
                f'must be "{PREFIX}NAME" or "{FILE}/path": Freqtrade copies the config into every '
                "backtest result, so that the secret must not stand here"
            )
        return given


class EndpointSettings(_WithSecrets):
    """An address that events are sent to."""

    url: str = Field(
        min_length=1,
        description="Address, `http://` or `https://`; `env:NAME` names an environment variable"
        " with it. Private addresses, as of containers, are fine; those of link-local networks and"
        " of clouds' metadata are refused. Needed.",
    )
    secret: str | None = Field(
        None,
        description=f"Signs the events (Standard Webhooks). {_SECRET} Without it nothing is"
        " signed.",
    )
    old_secret: str | None = Field(
        None, description="The secret before, which also signs, until receivers know the new one."
    )
    events: tuple[str, ...] = Field(
        (),
        description=f"Which events: {', '.join(EVENTS)}, or groups ({', '.join(_GROUPS)}). Without"
        " any, all.",
    )
    timeout_s: float = Field(
        15, ge=1, le=60, description="Longest wait for the answer. Seconds, [1, 60]"
    )

    @field_validator("url")
    @classmethod
    def _is_address(cls, url: str) -> str:
        return url if url.startswith(PREFIX) else checked_url(url)

    @field_validator("events")
    @classmethod
    def _are_events(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        for each in given:
            if each not in EVENTS and each not in _GROUPS:
                raise ValueError(
                    f"{each!r} is no event; there are {', '.join([*EVENTS, *_GROUPS])}"
                )
        return given


class IncomingSettings(_WithSecrets):
    """Whose webhooks the service takes without a key."""

    secret: str | None = Field(
        None,
        description="Verifies the signatures of webhooks to `/memory-webhook` and"
        f" `/api/v1/notify`. {_SECRET} It may also be any text of at least 16 characters, which the"
        " caller then shows in the header `X-Webhook-Secret`. Without it a key is needed.",
    )
    old_secret: str | None = Field(None, description="The secret before, which is still accepted.")


class WebhookSettings(Block):
    """Outgoing and incoming webhooks."""

    enabled: bool = Field(
        default=False,
        description="Whether events are sent: to `endpoints`, and to the addresses in the variables"
        " CONTROLLER_URL and N8N_WEBHOOK_URL.",
    )
    endpoints: dict[str, EndpointSettings] = Field(
        default_factory=dict, description="Where events are sent, by a name of your own."
    )
    stake_change: float = Field(
        0.5,
        gt=0,
        le=10,
        description="When `stake.changed` is sent: 0.5 sends stakes below x0.5 and above x1.5, and"
        " refused entries. (0, 10]",
    )
    incoming: IncomingSettings = Field(
        default_factory=IncomingSettings.model_construct,
        description="Webhooks that the service takes.",
    )

    @field_validator("endpoints")
    @classmethod
    def _have_names(cls, given: dict[str, EndpointSettings]) -> dict[str, EndpointSettings]:
        for name in given:
            if not _NAME.fullmatch(name):
                raise ValueError(
                    f"the name {name[:60]!r} must have 1 to 40 letters, digits, '-' and '_'"
                )
        return given


def checked_url(url: str) -> str:
    """Return an endpoint's URL; `ValueError` where nothing can be sent there, without showing it.

    >>> checked_url("http://n8n:5678/webhook/mem0")
    'http://n8n:5678/webhook/mem0'
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be an address whose port is a number, 1 to 65535") from None
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("must be an address of ASCII characters, without blanks")
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError("must be an address such as http://n8n:5678/webhook/mem0")
    if "@" in parts.netloc or parts.fragment:
        raise ValueError("must be an address without user, password and '#'")
    return url


def secret_text(given: str, key: str, environ: Mapping[str, str] | None = None) -> str:
    """Return the secret that `env:NAME` or `file:/path` stands for.

    Raise `ConfigError`, which names the key in the config, where it is not there.
    """
    if not given.startswith(FILE):
        name = key.rpartition(".")
        text: str = resolved({name[2]: given}, name[0], environ)[name[2]]
        return text.strip()
    path = Path(given.removeprefix(FILE))
    try:
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise ConfigError(f'"{key}" names the file {path}, which can not be read: {why}.') from None
    if not text:
        raise ConfigError(f'"{key}" names the file {path}, which is empty.')
    return text
