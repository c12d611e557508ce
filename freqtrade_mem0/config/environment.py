"""Variables such as `MEM0_ENABLED` that stand for keys of the `"mem0"` block.

They stand in the environment or in `.env.mem0`. They override the config, and are overridden by
`FREQTRADE__MEM0__...`.
"""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.secrets import shown
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_TRUTHS = {"true": True, "1": True, "yes": True, "on": True}
_TRUTHS |= {"false": False, "0": False, "no": False, "off": False}
_OF_MEM0 = ("MEM0_DIR", "MEM0_TELEMETRY", "MEM0_API_KEY", "MEM0_ORG_ID", "MEM0_PROJECT_ID")
"""Names with our beginning that Mem0 or `find_credentials` reads."""


def with_variables(block: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Return the block with the keys that variables stand for.

    Parameters
    ----------
    block
        The `"mem0"` block of the config.
    given
        From `config.variables.variables`.

    Raises
    ------
    ConfigError
        A variable has a value that its key can not have.
    """
    changed = dict(block)
    for name, variable in mission.ENVIRONMENT.items():
        text = given.get(name, "").strip()
        if not text:
            continue
        value = _value(name, text, variable.kind)
        for key in variable.keys:
            if f"FREQTRADE__MEM0__{key.replace('.', '__').upper()}" not in given:
                _set(changed, key, value)
    _set_remote(changed, block, given)
    _name_unknown(given)
    return changed


def named_by(key: str, given: Mapping[str, str]) -> str:
    """Return which variable gave a key its value, " (from MEM0_ENABLED)", or ""."""
    names = [
        name
        for name, variable in mission.ENVIRONMENT.items()
        if key in variable.keys and given.get(name, "").strip()
    ]
    return f" (from {names[0]})" if names else ""


def _set_remote(
    changed: dict[str, Any], block: Mapping[str, Any], given: Mapping[str, str]
) -> None:
    """Take MEM0_HOST for the address of a server where nothing else says where it is."""
    host = given.get("MEM0_HOST", "").strip()
    if block.get("mode") != "server" or not host or given.get("MEM0_URL", "").strip():
        return
    if block.get("host") or block.get("vector_store") or given.get("QDRANT_URL", "").strip():
        return
    changed["host"] = host
    if given.get("MEM0_PORT", "").strip():
        changed["port"] = int(given["MEM0_PORT"])
    _warn(
        'MEM0_HOST is taken for the address of the Mem0 server, as "mem0.host" is not set. It is '
        'meant for the address at which our own service listens: set "mem0.host" or MEM0_URL.'
    )


def _set(changed: dict[str, Any], key: str, value: object) -> None:
    outer, _, inner = key.partition(".")
    if not inner:
        changed[outer] = value
        if key == "host":  # MEM0_URL is the whole address
            changed["port"] = None
            changed.setdefault("mode", "server")
        return
    before = changed.get(outer, {})
    if isinstance(before, dict):  # anything else is wrong, and refused later
        changed[outer] = {**before, inner: value}


def _value(name: str, text: str, kind: str) -> object:
    if kind == "switch":
        if text.lower() not in _TRUTHS:
            raise ConfigError(f"{name} is {shown(text)}: it must be true or false.")
        return _TRUTHS[text.lower()]
    if kind == "number":
        try:
            return float(text)
        except ValueError:
            raise ConfigError(f"{name} is {shown(text)}: it must be a number.") from None
    if kind == "port" and not (text.isdecimal() and 1 <= int(text) <= 65_535):  # noqa: PLR2004
        raise ConfigError(f"{name} is {shown(text)}: it must be a port, 1 to 65535.")
    return int(text) if kind == "port" else text


def _name_unknown(given: Mapping[str, str]) -> None:
    known = (*mission.ENVIRONMENT, *_OF_MEM0)
    for name in given:
        if name.startswith("MEM0_") and name not in known:
            hint = mission.did_you_mean(name, known) or f" Known are {', '.join(known)}."
            _warn(f"The variable {name} is unknown and has no effect.{hint}")


@cache
def _warn(text: str) -> None:
    """Log a warning, once in a process."""
    logger.warning("%s", text)
