"""How far a policy moves stakes where outcomes tell nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.compare.engine.noise import spread_on_noise
from freqtrade_mem0.config.settings import Settings
from tests.support.samples import a_decision
from tests.unit.compare.made_runs import START, a_trade

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.compare.trades import ClosedTrade
    from freqtrade_mem0.records.decision import Decision


def entries(n: int = 300, spread: float = 0.02) -> list[tuple[Decision, ClosedTrade]]:
    """Return trades of two pairs, one of which wins and one of which loses, with decisions."""
    rng = np.random.default_rng(7)
    found = []
    for number in range(n):
        pair, mean = (("A/USDT", 0.01), ("B/USDT", -0.01))[number % 2]
        opened = START + timedelta(hours=4 * number)
        ratio = mean + spread * float(rng.standard_normal())
        trade = a_trade(
            0,
            ratio,
            pair=pair,
            open_date=opened,
            close_date=opened + timedelta(hours=3),
        )
        decision = a_decision(pair=pair, decided_at=opened, situation={}, proposed_stake=100.0)
        found.append((decision, trade))
    return found


def spread(folder: Path, **sizing: Any) -> float:
    """Return the spread under a policy."""
    settings = Settings.model_validate({"sizing": sizing})
    found = spread_on_noise(settings, "Sample", folder, entries())
    assert found is not None
    return found


RULES = {"policy": "rules", "rules": {"high_win_rate": 0.5, "low_win_rate": 0.5}}


def test_a_policy_that_moves_nothing_has_no_spread(tmp_path: Path) -> None:
    """`off` never does; nothing is written."""
    assert spread(tmp_path, policy="off") == 0.0
    assert list(tmp_path.iterdir()) == []


def test_a_policy_that_follows_any_win_rate_moves_on_noise(tmp_path: Path) -> None:
    """Farther with factors that are farther from 1; the same on each call."""
    small = spread(tmp_path, policy="rules", rules={**RULES["rules"], "drawdown": None})  # type: ignore[dict-item]
    large = spread(
        tmp_path,
        policy="rules",
        rules={**RULES["rules"], "drawdown": None, "low_win_rate_factor": 0.3},  # type: ignore[dict-item]
    )

    assert 0.05 < small < large
    assert small == spread(tmp_path, policy="rules", rules={**RULES["rules"], "drawdown": None})  # type: ignore[dict-item]


def test_without_trades_there_is_none(tmp_path: Path) -> None:
    """Nothing was moved."""
    assert spread_on_noise(Settings(), "Sample", tmp_path, []) is None
