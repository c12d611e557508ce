"""Finds the modules of a package that holds one thing per file: sizing policies, risk event types.

Such a file is added without being listed anywhere else.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


def names_in(package: str) -> tuple[str, ...]:
    """Return the names of a package's modules in alphabetical order; none of them is imported."""
    return tuple(
        sorted(info.name for info in pkgutil.iter_modules(import_module(package).__path__))
    )


def modules_in(package: str) -> dict[str, ModuleType]:
    """Import a package's modules; return them by name in alphabetical order."""
    return {name: import_module(f"{package}.{name}") for name in names_in(package)}
