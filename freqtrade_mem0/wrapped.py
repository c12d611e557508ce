"""Read the original strategy for a file that `freqtrade-mem0 wrap` wrote.

The original is read again whenever Freqtrade reads the copy, so changes to it take effect. It is
not registered as a module, so that hyperopt pickles it by value like any strategy.
"""

from __future__ import annotations

import sys
from hashlib import sha256
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pathlib import Path

_MARK = "mem0_original"
"""Attribute of the original's class: a hash of its file."""


def original(file: Path, name: str) -> type[Any]:
    """Return a strategy class from its file, as Freqtrade reads it.

    Raises
    ------
    ImportError
        The file or the class does not exist any more; Freqtrade shows the sentence and continues.
        Other errors come from the file itself.
    """
    spec = spec_from_file_location(file.stem, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise ImportError(f"{file} is gone. Restore it, or delete its copy with memory.")
    module = module_from_spec(spec)
    folder = str(file.parent)
    sys.path.insert(0, folder)  # strategies import modules beside them
    try:
        spec.loader.exec_module(module)
    finally:
        if folder in sys.path:  # the strategy's file may have removed it
            sys.path.remove(folder)
    found: type[Any] | None = getattr(module, name, None)
    if found is None:
        raise ImportError(f"{file} has no class {name} any more. Wrap the strategy again.")
    found.__file__ = str(file)
    setattr(found, _MARK, sha256(file.read_bytes()).hexdigest()[:16])
    return found


def parameters(strategy: type[Any]) -> dict[str, Any]:
    """Return the hyperopt parameters of the original, read by Freqtrade's own code."""
    bare = object.__new__(strategy)
    return cast("dict[str, Any]", bare.load_params_from_file())


def mark(strategy: object) -> str:
    """Return a hash that changes with the original's file; "" for a strategy that is no copy."""
    return str(getattr(type(strategy), _MARK, ""))
