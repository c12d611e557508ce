"""Modes are found by their files; naming one imports nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.backends import modes
from freqtrade_mem0.backends.opening import open_backend, prepare
from freqtrade_mem0.config.discovery import names_in
from freqtrade_mem0.config.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

NEW_MODE = '''
"""Mode `paper`."""

from freqtrade_mem0.backends.local import LocalBackend


def open_backend(wanted):
    backend = LocalBackend(wanted.memories)
    backend.name = f"paper in {wanted.folder.name}"
    return backend
'''


def test_the_four_modes() -> None:
    """The config's values are these files."""
    assert names_in(modes.__name__) == ("embedded", "local", "platform", "server")


def test_one_new_file_is_a_new_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The config takes its name and its backend is opened; nothing else names it."""
    with pytest.raises(ValueError, match="must be one of"):
        Settings(mode="paper")
    (tmp_path / "paper.py").write_text(NEW_MODE)
    monkeypatch.setattr(modes, "__path__", [*modes.__path__, str(tmp_path)])

    settings = Settings(mode="paper")

    assert open_backend(settings, tmp_path / "x", tuple).name == "paper in x"
    prepare(settings, tmp_path / "x")  # a mode without it has nothing to load
    sys.modules.pop(f"{modes.__name__}.paper")


def test_naming_modes_imports_no_backend() -> None:
    """Reading a config costs neither Mem0 nor an HTTP client nor a database driver."""
    code = (
        "import sys, json; from freqtrade_mem0.backends import opening; "
        "from freqtrade_mem0.config.settings import Settings; Settings(mode='platform'); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(subprocess.check_output([sys.executable, "-c", code], text=True))

    heavy = ("mem0", "httpx", "psycopg", "psycopg_pool", "numpy", "stamina")
    assert [package for package in heavy if package in loaded] == []
    assert [name for name in loaded if name.startswith(f"{modes.__name__}.")] == []
