"""Which names `sizing.policy` may have: built-in policies, and those of installed distributions.

A built-in policy is a module in `sizing/policies`, named like the policy. A distribution offers a
policy by an entry point of the group `freqtrade_mem0.policies`: its name is the policy's, its
object is called with `SizingSettings` and returns the policy.
"""

from __future__ import annotations

from difflib import get_close_matches
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from freqtrade_mem0.config.discovery import names_in
from freqtrade_mem0.errors import ConfigError

GROUP = "freqtrade_mem0.policies"
PACKAGE = "freqtrade_mem0.sizing.policies"
BUILT_IN = names_in(PACKAGE)
"""Names that no other policy can take."""


def refuse_unknown_policy(name: str) -> None:
    """Raise ValueError for a name that is neither built in nor offered by a distribution."""
    if name in BUILT_IN:
        return
    known = sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f'. Did you mean "{close[0]}"?' if close else ""
        raise ValueError(f"must be one of {', '.join(map(repr, known))}{hint}")


def load_own_policy(name: str, key: str = "sizing.policy") -> Any:
    """Return the object of a distribution's entry point, which makes the policy.

    `key` is the config key that names it.

    Raises
    ------
    ConfigError
        No distribution offers it, two do, or it can not be imported.
    """
    point = _entry_point(name, key)
    try:
        return point.load()
    except Exception as error:
        raise ConfigError(
            f'"mem0.{key}" is {name!r}: {point.value} of {_owner(point)} can not be loaded '
            f"({type(error).__name__}: {error}). Correct it, or name another policy."
        ) from error


def fingerprint(name: str) -> str:
    """Return a text that differs between two versions of a policy; "" for a built-in one.

    It depends on the distribution's version and on the text of the module that the entry point
    names, not on what that module imports.
    """
    if name in BUILT_IN:
        return ""
    point = _entry_point(name)
    try:
        spec = find_spec(point.module)
        code = b"" if spec is None or spec.origin is None else Path(spec.origin).read_bytes()
    except (ImportError, OSError, ValueError):
        code = b""
    return f"{_owner(point)} {point.value} {sha256(code).hexdigest()[:12]}"


def _entry_point(name: str, key: str = "sizing.policy") -> EntryPoint:
    points = list(entry_points(group=GROUP, name=name))
    if len(points) != 1:
        owners = " and ".join(sorted(_owner(point) for point in points)) or "nothing installed"
        raise ConfigError(
            f'"mem0.{key}" is {name!r}: one distribution must offer it, {owners} does. '
            "Uninstall what is not wanted, or name another policy."
        )
    return points[0]


def _owner(point: EntryPoint) -> str:
    if point.dist is None:
        return "an unnamed distribution"
    return f"{point.dist.name} {point.dist.version}"
