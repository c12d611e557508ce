"""Secrets in the blocks that are handed to Mem0: named in the config, kept in the environment.

Freqtrade copies the config into every backtest result, so no secret may stand in it. A value
`env:NAME` names the environment variable that holds it; it is looked up when Mem0 is opened.
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
    """Refuse a provider block that holds a secret itself instead of naming where it is.

    Parameters
    ----------
    block
        A provider block as the user wrote it; what is no mapping is judged elsewhere.
    key
        Where it stands, for the sentence.

    Raises
    ------
    ConfigError
        Names the key, and what to write instead; never the value.
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
    """Return a provider block with every `env:NAME` replaced by what the environment holds.

    Parameters
    ----------
    block
        A provider block.
    key
        Where it stands, for the sentence.
    environ
        Default: the process's environment.

    Raises
    ------
    ConfigError
        The environment has no such variable.
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
        yield path, str(value)  # of figures alone
