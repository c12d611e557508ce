"""Situations against each other: every trade is in one cell, with the figures of its trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.views.columns.book import TradeBook
from freqtrade_mem0.views.columns.cells import MISSING, MOST_VALUES, OTHERS, axis, cells, features
from freqtrade_mem0.views.columns.choice import rows_of
from tests.support.samples import a_trade

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.views.columns.table import Table


@pytest.fixture
def book(tmp_path: Path) -> TradeBook:
    """Trades of two pairs; every second one lacks its features."""
    journal = Journal(tmp_path)
    journal.append(
        a_trade(
            number,
            pair="ETH/USDT" if number % 3 else "BTC/USDT",
            profit_ratio=(number % 7 - 3) / 100,
            situation={"rsi": float(number), "regime": f"r{number % 4}"} if number % 2 else {},
        )
        for number in range(1, 201)
    )
    return TradeBook(journal)


def table_of(book: TradeBook) -> Table:
    """Return the table, which is there at once."""
    table = book.table()
    assert table is not None
    return table


def test_every_trade_is_in_one_cell_of_each_pair_of_features(book: TradeBook) -> None:
    """Also those that lack a feature."""
    table = table_of(book)
    rows = rows_of(book, table, Scope())
    ratios = table["ratio"][rows]
    for one in features(table):
        x, y = (axis(table, rows, name, book.words) for name in (one, "pair"))
        found = cells(x, y, ratios)
        assert sum(cell.n for cell in found) == 200
        for cell in found:
            own = ratios[(x.codes == cell.x) & (y.codes == cell.y)]
            assert cell.n == len(own)
            assert cell.mean == pytest.approx(own.mean())
            assert cell.win_rate == pytest.approx((own > 0).mean())
            if cell.low is not None and cell.high is not None:
                assert cell.low <= cell.mean <= cell.high
    assert MISSING in axis(table, rows, "rsi", book.words).labels


def test_a_feature_with_many_values_keeps_the_most_frequent_ones(tmp_path: Path) -> None:
    """The others share one place, and none is lost."""
    journal = Journal(tmp_path)
    journal.append(a_trade(n, enter_tag=f"tag{n if n > 9 else 0}") for n in range(1, 60))
    book = TradeBook(journal)
    table = table_of(book)
    found = axis(table, np.arange(table.n), "enter_tag", book.words)
    assert len(found.labels) == MOST_VALUES + 1
    assert found.labels[-1] == OTHERS
    assert "tag0" in found.labels


def test_an_unknown_feature_is_refused_with_those_there_are(book: TradeBook) -> None:
    """And a near name is suggested."""
    table = table_of(book)
    with pytest.raises(RecordError, match="regime"):
        axis(table, np.arange(table.n), "regim", book.words)
