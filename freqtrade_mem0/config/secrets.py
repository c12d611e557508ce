"""Secrets of Mem0's providers: the config has their names, the environment has the values.

Freqtrade copies the config into every backtest result, so it must not contain a secret. A value
`env:NAME` names an environment variable, which is read when Mem0 is opened.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "env:"

_PASSWORDS = ("password", "passwd", "pwd", "passphrase", "secret")
_SECRET_ENDINGS = (
    *_PASSWORDS,
    "api_key",
    "api_keys",
    "apikey",
    "token",
    "secret_key",
    "access_key",
    "account_key",
    "private_key",
    "authorization",
)
_URL_WITH_PASSWORD = re.compile(r"^[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]+@", re.IGNORECASE)
_DSN_WITH_PASSWORD = re.compile(r"\bpassword\s*=", re.IGNORECASE)


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
        if value == "" or value.startswith(PREFIX):
            continue
        name = path.rsplit(".", 1)[-1].lower()
        if name.endswith(_SECRET_ENDINGS):
            variable = name.upper()
        elif _URL_WITH_PASSWORD.match(value) or _DSN_WITH_PASSWORD.search(value):
            variable = "DATABASE_URL"
        else:
            continue
        raise ConfigError(
            f'"{path}" must not hold a secret: Freqtrade copies the config into every backtest '
            f'result. Put it into an environment variable and write "{PREFIX}{variable}" here.'
        )


def resolved(
    block: Mapping[str, Any], key: str, environ: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a provider block with every `env:NAME` replaced by the variable's value.

    Raise ConfigError if it is not set. `key` is the block's key, for the message.
    """
    env = os.environ if environ is None else environ
    return {name: _resolved(value, f"{key}.{name}", env) for name, value in block.items()}


def _resolved(value: Any, path: str, env: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {name: _resolved(inner, f"{path}.{name}", env) for name, inner in value.items()}
    if isinstance(value, list):
        return [_resolved(inner, path, env) for inner in value]
    if not isinstance(value, str) or not value.startswith(PREFIX):
        return value
    variable = value.removeprefix(PREFIX)
    if not env.get(variable):
        raise ConfigError(
            f'"{path}" names the environment variable {variable}, which is not set. Set it where '
            "the bot is started.",
        )
    return env[variable]


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
