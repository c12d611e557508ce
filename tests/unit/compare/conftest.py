"""Comparisons that several tests only read."""

from __future__ import annotations

import pytest

from freqtrade_mem0.compare.comparison import Comparison, compare
from tests.unit.compare.made_runs import two_runs


@pytest.fixture(scope="session")
def plain() -> Comparison:
    """Return a comparison of two runs of 360 trades in 120 days, without skill."""
    return compare("S", *two_runs(1))
