"""Commands that look at the trades of a backtest say which of them they leave out."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.records.base import Mode
from tests.support.samples import ORIGIN, a_trade

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("command", ["patterns", "drift"])
@pytest.mark.parametrize("n_ended", [0, 1, 2])
def test_trades_that_the_end_closed_are_said(
    command: str, n_ended: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As a number in JSON, and in a sentence; the moment is that of the last trade."""
    run = replace(ORIGIN, mode=Mode.BACKTEST)
    trades = [a_trade(n, origin=run) for n in range(12)]
    ended = [a_trade(50 + n, origin=run, is_evidence=False) for n in range(n_ended)]
    journal = Journal(tmp_path / "mem0")
    journal.append([*trades, *ended])
    journal.close()
    config = tmp_path / "config.json"
    block = {"mode": "local", "user_id": run.user_id}
    config.write_text(json.dumps({"user_data_dir": str(tmp_path), "mem0": block}))
    options = ["-c", str(config)]

    assert main([command, *options, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["n_left_out"] == n_ended
    assert facts["as_of"] > "2001"
    assert main([command, *options]) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert ("closed is left out" in told) == (n_ended == 1)
    assert ("2 trades that the end of the backtest closed are left out." in told) == (n_ended == 2)
