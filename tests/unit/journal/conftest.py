"""A journal of the test's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """An empty journal, closed after the test."""
    fresh = Journal(tmp_path / "mem0")
    yield fresh
    fresh.close()
