"""A working folder without keys, variables or a memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder; return it."""
    monkeypatch.chdir(tmp_path)
    for name in (*mission.ENVIRONMENT, "M0_API_KEY", "MEM0_API_KEY", "QDRANT_URL"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
