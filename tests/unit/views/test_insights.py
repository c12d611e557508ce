"""What `insights` says is what decisions use."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.sizing.registry import policy_for
from freqtrade_mem0.views.insights import insights
from tests.support.samples import BACKTEST, a_trade, at

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("policy", ["bayes", "kelly"])
def test_shifts_add_up_to_the_expected_difference(tmp_path: Path, policy: str) -> None:
    """Of the next entry, with the configured policy."""
    sizing = {"policy": policy, "levels": ["pair", "side"]}
    memory = MemoryFolder(Settings.model_validate({"user_id": "me", "sizing": sizing}), tmp_path)
    trades = [
        a_trade(n, origin=BACKTEST, pair=f"{'AB'[n % 2]}/USDT", profit_ratio=0.02 * (n % 2) - 0.005)
        for n in range(40)
    ]
    memory.journal.append(trades)
    facts = insights(memory, Scope(), at(1))
    of_pair = {row["value"]: row["believed_shift_ratio"] for row in facts["insights"]}
    memory.close()

    recall = Recall(memory.settings.sizing.levels, memory.settings.sizing.half_life_days)
    for trade in trades:
        recall.add(trade)
    expected = {}
    for pair in ("A/USDT", "B/USDT"):
        known = EvidenceReader(recall, Shrinkage(pseudo_trades=100.0)).for_entry(
            strategy="Sample",
            pair=pair,
            side="long",
            enter_tag="",
            moment=max(trade.known_at for trade in trades) + timedelta(days=1),
            situation={},
        )
        expected[pair] = policy_for(memory.settings.sizing)(known).expected_ratio
    assert all(math.isfinite(ratio or math.nan) for ratio in expected.values())
    assert of_pair["B/USDT"] - of_pair["A/USDT"] == pytest.approx(
        (expected["B/USDT"] or 0.0) - (expected["A/USDT"] or 0.0), rel=0.02
    )
