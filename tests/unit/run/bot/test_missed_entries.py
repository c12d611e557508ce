"""Entries that were not made: noted at once, once, and again when their candles are there."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from freqtrade_mem0.run.bot.entries.missed import N_CANDLES, Entry, MissedEntries
from tests.support.samples import ORIGIN, at

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.opportunity import Opportunity

CANDLE = timedelta(minutes=5)


def candles(n: int, *, first: int = 0) -> Any:
    """Return candles of 5 minutes from 0 h on: each opens one higher than the last, from 100."""
    numbers = range(first, first + n)
    return pd.DataFrame(
        {
            "date": [at(0) + number * CANDLE for number in numbers],
            "high": [101.0 + number for number in numbers],
            "low": [99.0 + number for number in numbers],
            "close": [100.0 + number for number in numbers],
        }
    )


@pytest.mark.parametrize(
    ("side", "moves"), [("long", (0.13, 0.0, 0.12)), ("short", (0.0, -0.13, -0.12))]
)
def test_what_became_of_the_price(side: str, moves: tuple[float, float, float]) -> None:
    """From the candle after the entry on, in the direction of the trade."""
    kept: list[Opportunity] = []
    missed = MissedEntries(ORIGIN, kept.append, 300)
    missed.add("refused", Entry("ETH/USDT", side, "dip", 100.0), at(0) + timedelta(minutes=2))
    for n in range(1, N_CANDLES + 1):
        missed.resolve(at(0) + (n + 1) * CANDLE, lambda _, n=n: candles(n))  # type: ignore[misc]
    assert [each.last_move for each in kept] == [None]
    missed.resolve(at(3), lambda _: candles(N_CANDLES + 1))
    first, last = kept
    assert (first.id, first.known_at) == (last.id, last.known_at)
    assert (last.best_move, last.worst_move, last.last_move) == pytest.approx(moves)
    assert f"{N_CANDLES} candles later" in last.sentence()
    missed.resolve(at(4), lambda _: candles(50))
    assert len(kept) == 2


def test_an_entry_that_is_refused_in_each_loop_is_one() -> None:
    """Counted, until its candles are there."""
    kept: list[Opportunity] = []
    missed = MissedEntries(ORIGIN, kept.append, 300)
    for second in range(0, 600, 5):
        entry = Entry("ETH/USDT", "long", "", 100.0)
        missed.add("refused", entry, at(0) + timedelta(seconds=second))
    missed.add("vetoed", Entry("ETH/USDT", "long", "", 100.0), at(0))
    missed.resolve(at(3), lambda _: candles(40))
    assert [(each.why, each.n) for each in kept] == [
        ("refused", 1),
        ("vetoed", 1),
        ("refused", 120),
        ("vetoed", 1),
    ]


def test_a_pair_without_candles_is_given_up() -> None:
    """It is traded no more; a restart goes on with what still waits."""
    kept: list[Opportunity] = []
    missed = MissedEntries(ORIGIN, kept.append, 300)
    missed.add("refused", Entry("GONE/USDT", "long", "", 100.0), at(0))
    again: list[Opportunity] = []
    after_restart = MissedEntries(ORIGIN, again.append, 300)
    after_restart.restore(kept[0])
    after_restart.resolve(at(3), lambda _: candles(40))
    assert again[0].last_move is not None
    missed.resolve(at(2), lambda _: None)
    missed.resolve(at(30), lambda _: None)
    missed.resolve(at(31), lambda _: candles(40))
    assert len(kept) == 1
