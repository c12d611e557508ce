"""Arguments of a call by position, where the first may be given by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def call_arguments(
    call: str, args: tuple[Any, ...], given: Mapping[str, Any], *, needed: int
) -> list[Any]:
    """Return a call's arguments in order: those by position take the places not given by name."""
    free = [name for name, value in given.items() if value is None]
    if len(args) > len(free):
        raise TypeError(f"{call}() takes {', '.join(given)}; got {len(args)} by position as well.")
    bound = {**given, **dict(zip(free, args, strict=False))}
    missing = [name for name in list(given)[:needed] if bound[name] is None]
    if missing:
        raise TypeError(f"{call}() needs {' and '.join(missing)}.")
    return list(bound.values())
