"""The values that trades had are the same in columns as trade by trade."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.views.seen import Seen
from tests.support.samples import a_trade, at

if TYPE_CHECKING:
    from pathlib import Path

LEVELS = ("pair", "side", "enter_tag", "regime", "hour", "pair*regime", "nobody")


@pytest.mark.parametrize("odd_id", [True, False])
def test_columns_say_what_each_trade_says(tmp_path: Path, odd_id: bool) -> None:
    """Features that are words, numbers, missing, or named as a part of the trade."""
    situations: list[dict[str, float | str]] = [
        {"regime": "calm", "hour": 2.5},
        {"regime": 1.5, "hour": -0.0},
        {"regime": "", "pair": "in the situation"},
        {},
    ]
    trades = [
        a_trade(
            number,
            pair=f"P{number % 3}/USDT",
            side=("long", "short")[number % 2],
            enter_tag=("", "dip")[number > 5],
            closed_at=at(100 - number) + timedelta(microseconds=number),
            situation=situations[number % 4],
        )
        for number in range(12)
    ]
    if odd_id:  # its page is read trade by trade
        trades.append(replace(a_trade(20, pair="LAST/USDT"), id="a text"))
    journal = Journal(tmp_path)
    journal.append(trades)
    columns, single = Seen(LEVELS), Seen(LEVELS)
    for page in journal.evidence.pages(Scope()):
        assert bool(page.trades) is not odd_id
        columns.add_page(page)
    single.add(journal.evidence.trades(Scope()))

    assert vars(columns) == vars(single)
    assert single.values["hour"] == {"2.5", "-0.0"}
