"""Profits with memory's and with the proposed stakes agree with what the trades really won."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.views.columns.book import TradeBook
from freqtrade_mem0.views.columns.choice import rows_of
from freqtrade_mem0.views.columns.equity import profits
from tests.support.samples import a_decision, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("applied", "with_memory", "without"), [(True, 12.0, 9.5), (False, 14.5, 12.0)]
)
def test_the_stake_that_a_trade_got_has_the_profit_of_its_record(
    tmp_path: Path, applied: bool, with_memory: float, without: float
) -> None:
    """Also where fees, parts or later entries make it another one than stake times ratio."""
    decision = a_decision(1, multiplier=1.25, stake=125.0, applied=applied)
    trade = a_trade(
        1,
        decision_id=decision.id,
        max_stake_amount=125.0 if applied else 100.0,
        profit_ratio=0.1,
        profit_abs=12.0,
    )
    journal = Journal(tmp_path)
    journal.open()
    journal.append([decision, opened(decision, trade), trade])
    book = TradeBook(journal)
    table = book.table()
    assert table is not None
    with book.lock:
        won = profits(table, rows_of(book, table, Scope()))
    assert won.with_memory.tolist() == pytest.approx([with_memory])
    assert won.without.tolist() == pytest.approx([without])
