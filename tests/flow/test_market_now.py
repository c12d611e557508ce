"""`why --now --ask-exchange` looks at the market itself, in its own process, and trades nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.memory_folder import MemoryFolder
from tests.flow.conftest import PLAN
from tests.support.bot_ledger import a_ledger
from tests.support.samples import ORIGIN

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from freqtrade_mem0.demo.exchange.server import ExchangeStandIn


def test_the_newest_candles_of_the_exchange_are_the_situation(
    exchange: ExchangeStandIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each pair has a regime, from a candle that closed within the last two candles."""
    memory = MemoryFolder(Settings(mode="local"), tmp_path)
    memory.journal.append(a_ledger(20, days=9, origin=replace(ORIGIN, user_id="freqtrade")))
    memory.close()
    block = {"mode": "local", "path": str(memory.folder)}
    config = freqtrade_config(exchange.url, PLAN.pairs, PLAN.timeframe, mem0=block)
    path = write_config(tmp_path / "config.json", config)
    asked_at = datetime.now(UTC)
    assert main(["why", "--now", "--ask-exchange", "--json", "-c", str(path)]) == 0
    answers = json.loads(capsys.readouterr().out)
    assert [each["pair"] for each in answers] == list(PLAN.pairs)
    for each in answers:
        closed_at = datetime.fromisoformat(each["candle"])
        assert abs(asked_at - closed_at) < timedelta(minutes=10)
        assert each["situation"]["regime"]
