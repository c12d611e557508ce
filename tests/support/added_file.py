"""A copy of the package with one more file, for what is found by its file alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import freqtrade_mem0

PACKAGE = Path(freqtrade_mem0.__file__).parent


def output_with_file(folder: Path, name: str, code: str, script: str) -> str:
    """Return what a script prints where the package has one more file.

    Parameters
    ----------
    folder
        Takes the copy.
    name
        Of the file, below the package.
    code
        Its text.
    script
        Python.
    """
    copy = folder / PACKAGE.name
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / name).write_text(code, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(PACKAGE.parent)}  # for tests.support
    return subprocess.check_output(
        [sys.executable, "-c", script], text=True, cwd=folder, env=environment
    )
