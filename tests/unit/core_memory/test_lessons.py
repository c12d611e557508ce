"""Lessons say in numbers what was expected and what came, and nothing from too few."""

from __future__ import annotations

from random import Random
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

import pytest
from scipy.stats import t as student

from freqtrade_mem0.core_memory.lessons import Lessons, add_lessons
from freqtrade_mem0.core_memory.log import agent_log
from freqtrade_mem0.records.execution import Execution
from tests.support.agent_stage import Stage
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from pathlib import Path


def a_row(number: int, ratio: float | None, **changes: Any) -> dict[str, Any]:
    """Return a resolved row of the log, told from others by its number."""
    outcome = {"profit_ratio": ratio, "profit_abs": None, "known_at": at(number).isoformat()}
    row = {
        "id": f"{number:04}",
        "agent": "a",
        "action": "BUY",
        "pair": "BTC/USDT",
        "side": "long",
        "state": "resolved",
        "decided_at": at(number - 1).isoformat(),
        "due_at": None,
        "confidence": None,
        "rate": None,
        "target_rate": None,
        "outcome": outcome,
        "said": {},
    }
    return row | changes


def last_lesson(rows: list[dict[str, Any]]) -> str:
    """Return the lesson of the last row."""
    add_lessons(rows)
    lesson: str = rows[-1]["lesson"]
    return lesson


def test_the_interval_is_students() -> None:
    """Of the decisions of one agent, action and pair; an oracle computes it anew."""
    rng = Random(1)
    ratios = [rng.gauss(0.002, 0.01) for _ in range(12)]
    said = last_lesson([a_row(number, ratio) for number, ratio in enumerate(ratios)])
    half = student.ppf(0.975, 11) * stdev(ratios) / 12**0.5
    low, high = mean(ratios) - half, mean(ratios) + half
    assert f"{mean(ratios):+.2%} on average (95% interval {low:+.2%} to {high:+.2%})" in said


def test_four_are_too_few() -> None:
    """Five are enough; those of another pair do not count."""
    rows = [a_row(number, 0.01, pair="ETH/USDT") for number in range(9)]
    rows += [a_row(10 + number, 0.01 + number / 1e3) for number in range(4)]
    assert last_lesson(rows).endswith("4 BUY BTC/USDT so far, too few for more")
    assert "5 of 5 BUY BTC/USDT made money" in last_lesson([*rows, a_row(20, 0.01)])


@pytest.mark.parametrize(
    ("ratio", "judged"),
    [(-0.01, "more than came"), (0.0205, "within the interval"), (0.2, "less than came")],
)
def test_what_was_aimed_at_is_judged_by_the_interval(ratio: float, judged: str) -> None:
    """Of what came on average."""
    rows = [
        a_row(number, ratio + 0.002 * (-1) ** number, rate=100.0, target_rate=102.0)
        for number in range(20)
    ]
    assert last_lesson(rows).endswith(f"expected were +2.00%, {judged}")


def test_memorys_own_expectation_comes_first() -> None:
    """With its interval, where the agent logged the answer with its decision."""
    said = {"said.expected_ratio": 0.004, "said.interval.0": -0.001, "said.interval.1": 0.009}
    lesson = last_lesson([a_row(1, -0.02, said=said, rate=100.0, target_rate=102.0)])
    assert lesson.startswith(
        "expected +0.40% (mean within -0.10% to +0.90%), made -2.00%, below that; "
    )


def test_how_the_bots_trade_went_is_said(tmp_path: Path) -> None:
    """How long it was held of what was planned, its exit, its slippage."""
    stage = Stage(tmp_path, hours=24.0)
    kept = stage.memory.log_decision({"symbol": "BTCUSDT", "action": "BUY", "horizon_hours": 12})
    trade = a_trade(
        1,
        pair="BTC/USDT",
        open_date=at(24.25),
        closed_at=at(27.5),
        exit_reason="stop_loss",
        profit_ratio=-0.02,
        execution=Execution(entry_slippage=0.0005, exit_slippage=0.0012),
    )
    stage.remember(trade)
    stage.memory.log.resolve()
    (row,) = agent_log(stage.memory.client.folder, "me")
    assert row["id"] == kept
    assert row["lesson"] == (
        "decided, made -2.00%; held 3h 15m of 12h planned, exit stop_loss, entry slippage +0.050%, "
        "exit slippage +0.120%; 1 BUY BTC/USDT so far, too few for more"
    )


def test_a_corrected_outcome_counts_once() -> None:
    """As it is now."""
    lessons = Lessons()
    for number in range(5):
        lessons.of(a_row(number, 0.01))
    assert "4 of 5 BUY" in str(lessons.of(a_row(2, -0.01)))
    assert "5 of 5 BUY" in str(lessons.of(a_row(2, 0.01)))


def test_nothing_known_of_a_profit_is_no_lesson() -> None:
    """A result without a number."""
    assert Lessons().of(a_row(1, None)) is None
