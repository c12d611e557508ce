"""The outcome of a decision by candles: no look-ahead, and no price that the market never had."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.core_memory.candle_outcome import Candle, candle_outcome
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.records.kinds.agent_decision import AgentDecision
from tests.support.samples import at

if TYPE_CHECKING:
    from datetime import datetime

HOUR = timedelta(hours=1)
BUY = AgentDecision(
    id="1",
    origin=Origin(user_id="me", strategy="manual", mode=Mode.MANUAL, run_id="a"),
    known_at=at(2),
    recorded_at=at(2),
    action="BUY",
    pair="BTC/USDT",
    side="long",
    reason="",
    content_hash="",
    due_at=at(6),
)
SELL = replace(BUY, action="SELL", side="short")


def candles(*rows: tuple[float, float, float, float]) -> list[Candle]:
    """Return candles of an hour from `START` on."""
    return [Candle(at(hour), *row) for hour, row in enumerate(rows)]


def outcome(decision: AgentDecision, known: list[Candle]) -> tuple[float, datetime] | None:
    """Return the outcome known at 09:00, its profit rounded."""
    found = candle_outcome(decision, known, HOUR, at(9))
    return None if found is None else (round(found[0], 12), found[1])


FLAT = (100.0, 101.0, 99.0, 100.0)
RISE = candles(FLAT, FLAT, FLAT, (100, 104, 98, 103), (103, 106, 102, 105), (105, 111, 104, 110))


@pytest.mark.parametrize(("decision", "ratio"), [(BUY, 0.1), (SELL, -0.1)])
def test_it_is_the_move_until_the_due_date(decision: AgentDecision, ratio: float) -> None:
    """From the price at the decision to the last close before the due date."""
    assert outcome(decision, RISE) == (ratio, at(6))


@pytest.mark.parametrize(
    ("changes", "ratio", "hour"),
    [
        ({"target_rate": 105.0}, 0.05, 5),
        ({"stop_rate": 98.5}, -0.015, 4),
        ({"stop_rate": 98.5, "target_rate": 103.5}, -0.015, 4),
        ({"stop_rate": 120.0, "target_rate": 90.0}, 0.1, 6),
    ],
)
def test_stop_and_target_end_it(changes: dict[str, Any], ratio: float, hour: int) -> None:
    """The stop where one candle reaches both; on the wrong side of the entry they are ignored."""
    assert outcome(replace(BUY, **changes), RISE) == (ratio, at(hour))


def test_a_stop_that_the_market_jumps_over_is_left_at_the_open() -> None:
    """Of long and short."""
    fall = candles(FLAT, FLAT, FLAT, (90, 91, 89, 90), (90, 91, 89, 90), (90, 91, 89, 90))
    assert outcome(replace(BUY, stop_rate=95.0), fall) == (-0.1, at(4))
    assert outcome(replace(SELL, stop_rate=102.0), RISE) == (-0.02, at(4))


@pytest.mark.parametrize(("said", "ratio"), [(100.5, 110 / 100.5 - 1.0), (1.0, 0.1), (0.0, 0.1)])
def test_an_entry_price_must_have_been_there(said: float, ratio: float) -> None:
    """An agent that claims another price gets that of the market."""
    assert outcome(replace(BUY, rate=said), RISE) == (round(ratio, 12), at(6))


@pytest.mark.parametrize(
    ("changes", "known", "now"),
    [
        ({}, RISE, 5.9),
        ({}, RISE[:4], 9),
        ({"due_at": None}, RISE, 9),
        ({}, [], 9),
        ({"known_at": at(-5)}, RISE, 9),
        ({"known_at": at(-5), "due_at": at(-4)}, RISE, 9),
    ],
    ids=["not due", "no candles until then", "no due date", "no candles", "too early", "before"],
)
def test_it_is_not_known_without_the_candles(
    changes: dict[str, Any], known: list[Candle], now: float
) -> None:
    """Neither before the due date nor where candles are missing."""
    assert candle_outcome(replace(BUY, **changes), known, HOUR, at(now)) is None


def test_what_happens_after_the_due_date_changes_nothing() -> None:
    """Nor what happened before the decision."""
    wild = Candle(at(6), 10.0, 1_000.0, 1.0, 500.0)
    early = [Candle(at(hour), 1.0, 1_000.0, 0.5, 2.0) for hour in (-3, -2, -1)]
    decision = replace(BUY, stop_rate=50.0, target_rate=500.0)
    expected = candle_outcome(decision, RISE, HOUR, at(9))
    assert candle_outcome(decision, [*early, *RISE, wild], HOUR, at(9)) == expected
