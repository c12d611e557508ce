"""Which sizing policies there are: ours, and those that installed distributions offer.

A distribution offers a policy by an entry point of the group `freqtrade_mem0.policies`: its name is
what stands in `sizing.policy`, its object is called with `SizingSettings` and returns the policy.
"""

from __future__ import annotations

from difflib import get_close_matches
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from freqtrade_mem0.errors import ConfigError

GROUP = "freqtrade_mem0.policies"
BUILT_IN = ("bayes", "kelly", "off", "rules")
"""Names that no other policy can take."""


def refuse_unknown_policy(name: str) -> None:
    """Refuse the name of a policy that nobody offers.

    Raises
    ------
    ValueError
        It names the known ones, and what was meant where one is near.
    """
    if name in BUILT_IN:
        return
    known = sorted({*BUILT_IN, *(point.name for point in entry_points(group=GROUP))})
    if name not in known:
        close = get_close_matches(name, known, n=1)
        hint = f'. Did you mean "{close[0]}"?' if close else ""
        raise ValueError(f"must be one of {', '.join(map(repr, known))}{hint}")


def load_own_policy(name: str) -> Any:
    """Return the object that makes an own policy.

    Raises
    ------
    ConfigError
        Nobody offers it, two distributions do, or it can not be imported.
    """
    point = _entry_point(name)
    try:
        return point.load()
    except Exception as error:
        raise ConfigError(
            f'"mem0.sizing.policy" is {name!r}: {point.value} of {_owner(point)} can not be loaded '
            f"({type(error).__name__}: {error}). Mend it, or name another policy."
        ) from error


def fingerprint(name: str) -> str:
    """Return what tells one version of an own policy from another; "" for ours.

    It changes with the distribution's version and with the module that the entry point names. What
    that module imports is not looked at.
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


def _entry_point(name: str) -> EntryPoint:
    points = list(entry_points(group=GROUP, name=name))
    if len(points) != 1:
        owners = " and ".join(sorted(_owner(point) for point in points)) or "nothing installed"
        raise ConfigError(
            f'"mem0.sizing.policy" is {name!r}: one distribution must offer it, {owners} does. '
            "Uninstall what is not wanted, or name another policy."
        )
    return points[0]


def _owner(point: EntryPoint) -> str:
    return (
        "an unnamed distribution"
        if point.dist is None
        else (f"{point.dist.name} {point.dist.version}")
    )
