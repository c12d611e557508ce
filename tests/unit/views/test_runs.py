"""The list of runs: its figures are those of their trades."""

from __future__ import annotations

from dataclasses import replace
from math import fsum
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.sized_trades import profits, sized_trades
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.views.runs import runs
from freqtrade_mem0.views.values import iso
from tests.support.bot_ledger import a_ledger
from tests.support.samples import NOTED, ORIGIN, a_trade, at

if TYPE_CHECKING:
    from pathlib import Path


def test_figures_are_those_of_the_trades(tmp_path: Path) -> None:
    """Of a bot, of one whose amounts are unknown, and of a trade with microseconds."""
    untold = replace(ORIGIN, run_id="bot-2")
    memory = MemoryFolder(Settings(mode="local", user_id="me"), tmp_path)
    memory.journal.append(a_ledger(30, days=10))
    memory.journal.append([a_trade(1, origin=untold), a_trade(2, origin=untold, pair="ETH/BTC")])
    late = at(300).replace(microsecond=1)
    memory.journal.append([a_trade(9, id="mine", open_date=late, close_date=at(301))])
    found = {each["run_id"]: each for each in runs(memory, Scope(), NOTED)}
    for run_id, each in found.items():
        trades = list(sized_trades(memory.journal, Scope(run_id=run_id)))
        ratios = [sized.trade.profit_ratio for sized in trades]
        assert each["n_trades"] == len(trades)
        assert each["n_won"] == sum(ratio > 0 for ratio in ratios)
        assert each["mean_profit_ratio"] == pytest.approx(fsum(ratios) / len(ratios), abs=1e-12)
        assert each["first"] == iso(min(sized.trade.open_date for sized in trades))
        assert each["last"] == iso(max(sized.trade.close_date for sized in trades))
        if run_id == untold.run_id:
            assert (each["profit_abs"], each["stake_currency"]) == (None, None)
        else:
            assert each["profit_abs"] == profits(trades)
    memory.close()
