"""Finds strategy classes in the text of Python files, without running them."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_CLASS = re.compile(r"^class (\w+)\(", re.MULTILINE)
_N_NAMED = 12


def check_names(names: Sequence[str], folders: Sequence[Path], *, recursive: bool) -> None:
    """Check that a Python file in the folders defines each strategy.

    Raises
    ------
    ConfigError
        There is no such class; the message names the existing ones.
    """
    known = classes_in(folders, recursive=recursive)
    for name in names:
        # "Name:base64" contains its own source.
        if ":" in name or name in known:
            continue
        where = " or ".join(map(str, folders)) or "any folder"
        close = get_close_matches(name, known, n=1)
        hint = "No file there defines a class. Name the strategy's folder with --strategy-path."
        if close:
            hint = f"Did you mean {close[0]}?"
        elif known:
            more = ", ..." if len(known) > _N_NAMED else ""
            hint = (
                f"There are: {', '.join(known[:_N_NAMED])}{more}. Name another folder with "
                "--strategy-path."
            )
        raise ConfigError(f"There is no strategy {name} in {where}. {hint}")


def file_of(name: str, folders: Sequence[Path], *, recursive: bool) -> Path | None:
    """Return the file in which Freqtrade finds a strategy class, or None."""
    for folder in folders:
        for file in sorted(folder.glob("**/*.py" if recursive else "*.py")):
            if f"class {name}(" in file.read_text(encoding="utf-8", errors="replace"):
                return file
    return None


def classes_in(folders: Sequence[Path], *, recursive: bool) -> list[str]:
    """Return the names of all classes that the Python files in the folders define, sorted."""
    found: set[str] = set()
    for folder in folders:
        for file in sorted(folder.glob("**/*.py" if recursive else "*.py")):
            found.update(_CLASS.findall(file.read_text(encoding="utf-8", errors="replace")))
    return sorted(found)
