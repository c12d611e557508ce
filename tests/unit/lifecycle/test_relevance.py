"""How relevant a memory is, factor by factor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.lifecycle.explained import explained
from freqtrade_mem0.records.base import Category
from tests.support.aging import NOW, ago, cycle, in_mem0, old_note, old_trade, remembering

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("profit", "days", "asked", "score"),
    [
        (-0.02, 0, 0, 0.5 * 0.9),
        (0.02, 0, 0, 0.5 * 0.9 * 1.2 * 1.02),
        (0.9, 0, 0, 0.5 * 0.9 * 1.2 * 1.5),
        (-0.02, 6, 0, 0.5 * 0.9 * 0.8),
        (-0.02, 15, 0, 0.5 * 0.9 * 0.5),
        (-0.02, 700, 0, 0.5 * 0.9 * 0.5),
        (-0.02, 0, 2, 0.5 * 0.9 * 1.2),
        (-0.02, 0, 40, 0.5 * 0.9 * 1.3),
        (0.9, 0, 40, 1.0),
    ],
)
def test_the_factors_are_the_missions(
    tmp_path: Path, profit: float, days: float, asked: int, score: float
) -> None:
    """A base of 0.5, times importance, success, profit, use and age; at most 1."""
    trade = old_trade(1, days, profit_ratio=profit)
    memory = remembering(tmp_path, trade)
    memory.asked.count([trade.id] * asked, ago(0))
    memory.asked.write()
    facts = explained(memory, trade.id[:8], NOW)
    assert facts["relevance"] == pytest.approx(min(score, 1.0))
    assert facts["asked"] == asked
    memory.close()


def test_only_what_nobody_asks_for_goes(tmp_path: Path) -> None:
    """Asked for twice, or in the last seven days, it stays; and a hot memory always does."""
    names = ("asked twice", "asked lately", "asked long ago", "never asked", "young")
    days = (20, 20, 20, 20, 0.5)
    notes = [
        old_note(f"{name} about the market", age, Category.RISK_PROFILE)
        for name, age in zip(names, days, strict=True)
    ]
    memory = remembering(tmp_path, *notes)
    memory.asked.count([notes[0].id, notes[0].id, notes[2].id], ago(9))
    memory.asked.write()
    memory.asked.count([notes[1].id], ago(6))
    memory.asked.write()

    report = cycle(memory)

    assert report["pruned"]["by_relevance"] == 2
    assert {notes[n].id for n in (0, 1, 4)} == set(in_mem0(memory))
    memory.close()


def test_importance_is_a_setting(tmp_path: Path) -> None:
    """A category that matters more stays longer; a threshold of 0 prunes nothing."""
    note = old_note("seen in the market", 3, Category.MARKET_CONDITIONS)
    for number, (importance, least, n_left) in enumerate(
        ((0.6, 0.3, 0), (1.0, 0.3, 1), (0.0, 0, 1))
    ):
        memory = remembering(
            tmp_path / str(number),
            note,
            importance={"market_conditions": importance},
            lifecycle={"min_relevance_score": least},
        )
        cycle(memory)
        assert len(in_mem0(memory)) == n_left
        memory.close()
