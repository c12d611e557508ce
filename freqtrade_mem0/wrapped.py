"""What a file made by `freqtrade-mem0 wrap` asks for: the original strategy, from its own file.

The original is read anew each time Freqtrade reads the copy, so a change to it is never missed; and
it is not registered as a module, so that hyperopt pickles it by value, as it does any strategy.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pathlib import Path

_MARK = "mem0_original"
"""Attribute of the original's class: what its file says, in short."""


def original(file: Path, name: str) -> type[Any]:
    """Return a strategy class from its file, as Freqtrade reads it.

    Parameters
    ----------
    file
        The strategy's file.
    name
        The class.

    Raises
    ------
    ImportError
        There is no such file or class any more: Freqtrade shows the sentence and goes on. Whatever
        else is raised comes from the file itself.
    """
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ImportError(f"{file} is gone. Bring it back, or delete its copy with memory, too.")
    module = module_from_spec(spec)
    folder = str(file.parent)
    sys.path.insert(0, folder)  # strategies import what lies beside them
    try:
        spec.loader.exec_module(module)
    finally:
        if folder in sys.path:  # the file may have changed it, too
            sys.path.remove(folder)
    found: type[Any] | None = getattr(module, name, None)
    if found is None:
        raise ImportError(f"{file} has no class {name} any more. Make its copy with memory anew.")
    found.__file__ = str(file)
    setattr(found, _MARK, sha256(file.read_bytes()).hexdigest()[:16])
    return found


def parameters(strategy: type[Any]) -> dict[str, Any]:
    """Return what hyperopt found for the original, by Freqtrade's own reading of its file."""
    bare = object.__new__(strategy)
    return cast("dict[str, Any]", bare.load_params_from_file())


def mark(strategy: object) -> str:
    """Return what changes whenever a strategy's original does; "" for one that is no copy."""
    return str(getattr(type(strategy), _MARK, ""))
