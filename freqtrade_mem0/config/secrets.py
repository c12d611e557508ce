"""Secrets of Mem0's providers: the config has their names, the environment has the values.

Freqtrade copies the config into every backtest result, so it must not contain a secret. A value
`env:NAME` names an environment variable, which is read when Mem0 is opened.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.variables import variables
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "env:"

_PASSWORDS = ("password", "passwd", "pwd", "passphrase", "secret")
_SECRET_ENDINGS = (
    *_PASSWORDS,
    "apikey",
    "apikeys",
    "token",
    "secretkey",
    "accesskey",
    "accountkey",
    "privatekey",
    "authorization",
    "credential",
    "credentials",
    "cookie",
)
"""Endings of the names of secrets, in small letters, without `-` and `_`."""

_SECRET_NAMES = ("auth", "basicauth", "httpauth", "key", "pass")
_HARMLESS_HEADERS = ("accept", "acceptencoding", "contenttype", "useragent", "host", "connection")
_SECRET_TEXTS = re.compile(
    r"https?://[^/\s]*@"  # an address with a user or a token
    r"|[a-z][a-z0-9+.-]*://[^/@\s:]*:(?!\d+/)[^@\s]+@"  # one with a password
    r"|(?:password|passwd|pwd|passphrase|secret|api[-_]?key|(?:access|account)[-_]?key|token"
    r"|signature|[?&;](?:sig|key|auth))\s*=\s*\S"  # a DSN or query with a secret
    r"|^\s*(?:bearer|basic|token|apikey)\s+\S"  # an Authorization header
    r"|(?<![\w-])(?:sk-|m0-|ghp_|hf_|gsk_|xox[abp]-|AIza|AKIA|eyJ)[\w-]{16,}",  # known keys
    re.IGNORECASE,
)
_USER_AND_PASSWORD = re.compile(r"[^/@\s:]+:(?!//|\d+/)[^@\s]+@[^@\s]+")

_LONGEST_SHOWN = 200


def refuse_plain_secrets(block: Any, key: str) -> None:
    """Raise ConfigError for a provider block that contains a secret; its value is not shown.

    Parameters
    ----------
    block
        A provider block as the user wrote it.
    key
        Its key in the config, for the message.
    """
    for path, value in _texts(block, key):
        if value == "" or value.startswith(PREFIX) or not _is_secret(path, value):
            continue
        is_named = _is_secret_name(path)
        variable = path.rsplit(".", 1)[-1].upper().replace("-", "_") if is_named else "DATABASE_URL"
        raise ConfigError(
            f'"{path}" must not hold a secret: Freqtrade copies the config into every backtest '
            f'result. Put it into an environment variable and write "{PREFIX}{variable}" here.'
        )


def shown(value: Any) -> str:
    """Return how an error shows a value of the config: cut, and only its type if it is a secret.

    >>> shown("often"), shown("https://me:pw@mem0.lan")
    ("'often'", 'a str that may be a secret')
    """
    text = repr(value)
    if any(_is_secret(path, each) for path, each in _texts(value, "value")):
        return f"a {type(value).__name__} that may be a secret"
    return cut(text)


def cut(text: str) -> str:
    """Return a text for an error message, at most 200 characters long."""
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def without_secrets(text: str, blocks: Mapping[str, Any]) -> str:
    """Return a provider's message without the secrets in its resolved blocks."""
    for path, value in _texts(dict(blocks), ""):
        if value and _is_secret(path, value):
            text = text.replace(value, "***")
    return text


def _is_secret(path: str, value: str) -> bool:
    if _is_secret_name(path) or _SECRET_TEXTS.search(value):
        return True
    # Ollama's models may be named name:tag@digest.
    return not path.endswith("model") and bool(_USER_AND_PASSWORD.fullmatch(value.strip()))


def _is_secret_name(path: str) -> bool:
    *outer, name = path.lower().replace("-", "").replace("_", "").split(".")
    if any(each.endswith("headers") for each in outer) and name not in _HARMLESS_HEADERS:
        return True
    return name.endswith(_SECRET_ENDINGS) or name in _SECRET_NAMES


def resolved(
    block: Mapping[str, Any], key: str, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a provider block with every `env:NAME` replaced by the variable's value.

    Raise ConfigError if it is not set. `key` is the block's key, for the message.
    """
    env = variables() if environ is None else environ
    return {name: _resolved(value, f"{key}.{name}", env) for name, value in block.items()}


def _resolved(value: Any, path: str, env: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _resolved(inner, f"{path}.{name}", env) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, path, env) for inner in value]
    if not isinstance(value, str) or not value.startswith(PREFIX):
        return value
    variable = value.removeprefix(PREFIX)
    if not env.get(variable, "").strip():
        raise ConfigError(
            f'"{path}" names the environment variable {variable}, which is not set. Set it where '
            "the bot is started.",
        )
    name = path.rsplit(".", 1)[-1].lower()
    # A file or a shell may have left a line's end. A password may begin or end with a blank.
    return env[variable].strip("\r\n" if name.endswith(_PASSWORDS) else None)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, f"{path}.{name}")
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, path)
    elif isinstance(value, str):
        yield path, value
    elif path.lower().endswith(_PASSWORDS) and isinstance(value, int | float):
        yield path, str(value)  # a password of digits
