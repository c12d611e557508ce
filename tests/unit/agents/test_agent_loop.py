"""The example of an agent's loop in the docs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.agent_stage import Stage, bots_trades
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    import pytest

LOOP = Path(__file__).parents[3] / "docs" / "how-to" / "agent_loop.py"


def test_the_loop_asks_decides_and_logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs as it stands, on a memory with trades, and its results are kept."""
    monkeypatch.chdir(tmp_path)
    stage = Stage(tmp_path, mode="embedded", user_id="default")
    stage.remember(*bots_trades(20))
    stage.memory.close()
    command = [sys.executable, str(LOOP), str(tmp_path / "mem0")]
    shown = subprocess.check_output(command, text=True, timeout=HANG_S)
    first, second = shown.splitlines()
    assert first.startswith("BTC/USDT: BUY")
    assert second.startswith("ETH/USDT: SELL")
    assert shown.count("Keep BTC positions small on Sundays") == 2
