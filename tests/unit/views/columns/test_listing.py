"""Pages of the list of trades: each trade on one page, in order; and the trades nearest to one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from freqtrade_mem0.agents.nearest import NearestTrades
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.recall.index.recall import Recall
from freqtrade_mem0.views.columns.book import TradeBook
from freqtrade_mem0.views.columns.choice import rows_of
from freqtrade_mem0.views.columns.listing import Key, Listing, Wanted, choices, listing
from freqtrade_mem0.views.columns.nearest import nearest
from tests.support.samples import a_decision, a_trade, at, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.records.kinds.trade import TradeRecord

N = 60
LEVELS = ("pair", "enter_tag", "side*regime", "pair*regime")


@pytest.fixture(scope="module")
def trades() -> list[TradeRecord]:
    """Trades of which several close at the same moment."""
    draw = np.random.default_rng(3)
    return [
        a_trade(
            number,
            closed_at=at(number // 3),
            pair=("ETH/USDT", "BTC/USDT")[number % 2],
            enter_tag=("dip", "a\nb", "<b>")[int(draw.integers(3))],
            profit_ratio=float(draw.integers(-8, 9)) / 64.0,
            situation={
                "rsi": float(draw.integers(10, 90)),
                "regime": ("calm", "wild")[number % 2],
            },
            decision_id=a_decision(number).id,
            is_evidence=number % 10 != 0,
        )
        for number in range(N)
    ]


@pytest.fixture(scope="module")
def book(
    trades: list[TradeRecord], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TradeBook]:
    """The table of them."""
    journal = Journal(tmp_path_factory.mktemp("journal"))
    journal.open()
    for number, trade in enumerate(trades):
        stake = (80.0, 100.0, 130.0)[number % 3]
        decision = a_decision(number, stake=stake, multiplier=stake / 100.0)
        journal.append([decision, opened(decision, trade), trade])
    made = TradeBook(journal)
    yield made
    made.close()
    journal.close()


def page(book: TradeBook, wanted: Wanted | None = None, **place: Any) -> Listing:
    """Return a page of seven trades."""
    table = book.table()
    assert table is not None
    rows = rows_of(book, table, Scope())
    return listing(table, rows, book.words, wanted or Wanted(), limit=7, **place)


WANTED = [
    (Wanted(), lambda _, __: True),
    (Wanted(outcome="won"), lambda trade, _: trade.profit_ratio > 0.0),
    (Wanted(outcome="lost"), lambda trade, _: trade.profit_ratio <= 0.0),
    (Wanted(texts={"enter_tag": "a\\nb"}), lambda trade, _: trade.enter_tag == "a\nb"),
    (
        Wanted(texts={"pair": "BTC/USDT"}, change="cut"),
        lambda t, n: t.pair[0] == "B" and n % 3 == 0,
    ),
    (Wanted(change="as proposed"), lambda _, number: number % 3 == 1),
    (Wanted(texts={"pair": "nothing"}), lambda _, __: False),
]


@pytest.mark.parametrize(("wanted", "passes"), WANTED)
def test_each_trade_is_on_one_page(
    book: TradeBook, trades: list[TradeRecord], wanted: Wanted, passes: Any
) -> None:
    """From the newest to the oldest and back, also where many close at once."""
    expected = [t.profit_ratio for n, t in enumerate(trades) if passes(t, n)][::-1]
    shown = page(book, wanted)
    assert shown.n == len(expected)
    assert shown.n_won == sum(each > 0.0 for each in expected)
    pages = [shown]
    while pages[-1].older is not None:
        pages.append(page(book, wanted, before=pages[-1].older))
    assert [row.ratio for each in pages for row in each.rows] == expected
    back = pages[-1]
    for earlier in pages[-2::-1]:
        assert back.newer is not None
        back = page(book, wanted, after=back.newer)
        assert back.rows[-1] == earlier.rows[-1]


def test_the_values_to_choose_from_are_those_of_the_trades(book: TradeBook) -> None:
    """As people see them, so that each of them can be in an address."""
    table = book.table()
    assert table is not None
    found = choices(table, rows_of(book, table, Scope()), book.words, 2)
    assert sorted(found["pair"]) == ["BTC/USDT", "ETH/USDT"]
    assert len(found["enter_tag"]) == 2


@pytest.mark.parametrize("text", ["x", "1", "1.2.3", "-1.2", f"{'9' * 50}.1", "1.²"])
def test_a_place_that_is_none_is_refused(text: str) -> None:
    """With what to do."""
    with pytest.raises(RecordError, match="Leave it out"):
        Key.read(text)


def test_nearest_trades_are_those_that_agents_are_told(
    book: TradeBook, trades: list[TradeRecord]
) -> None:
    """By the same rule, in columns; the ones that were not known yet are left out."""
    table = book.table()
    assert table is not None
    rows = rows_of(book, table, Scope())
    finder = NearestTrades(trades, Recall(levels=LEVELS, half_life_days=30.0))
    for number in range(0, N, 7):
        trade = trades[number]
        decision = a_decision(
            number,
            decided_at=trade.open_date,
            pair=trade.pair,
            enter_tag=trade.enter_tag,
            situation=trade.situation,
        )
        expected = finder.find(decision, slice(0, 8))
        found = nearest(table, rows, book.words, decision, LEVELS, 8)
        ids = book.ids([int(table["seq"][row]) for row in found])
        told = [ids[int(table["seq"][row])] for row in found]
        assert sorted(told) == sorted(each.id for _, each in expected)
        ratios = [float(table["ratio"][row]) for row in found]
        assert ratios == sorted(ratios)
