"""Reading in pages: by row number where only news are wanted, and while others write."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal import paging
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.samples import ORIGIN, a_note, a_retraction, a_trade

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.records.base import Record

SCOPE = Scope(user_id="me", strategy="Sample", modes=[Mode.DRY_RUN, Mode.LIVE, Mode.MANUAL])


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a page end after two rows."""
    monkeypatch.setattr(paging, "PAGE_ROWS", 2)


def plans(journal: Journal, read: Callable[[], object]) -> list[str]:
    """Return how SQLite goes about the questions that a reading asks, line by line."""
    asked: list[str] = []
    with journal.connection.read() as sqlite:
        sqlite.set_trace_callback(asked.append)
        read()
        sqlite.set_trace_callback(None)
        return [
            row[3]
            for query in dict.fromkeys(asked)
            for row in sqlite.execute(f"EXPLAIN QUERY PLAN {query}")
        ]


def test_news_are_walked_to_by_row_number(journal: Journal) -> None:
    """Whatever else is in the journal: no index of a scope, and nothing to sort."""
    journal.append([a_trade(number) for number in range(50)])

    last, step, *others = plans(journal, lambda: list(journal.records(SCOPE, after_seq=48)))
    assert last == "SEARCH evidence"
    assert step == "SEARCH e USING INTEGER PRIMARY KEY (rowid>?)"
    assert [each for each in others if "TEMP B-TREE" in each or each.startswith("SCAN")] == []


def test_a_scope_in_a_large_journal_is_listed_by_its_index(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index alone says which rows; only these are read."""
    monkeypatch.setattr(paging, "FEW_ROWS", 10)
    journal.append([a_trade(number) for number in range(50)])
    steps = plans(journal, lambda: list(journal.records(SCOPE)))

    listing = "SEARCH evidence USING COVERING INDEX evidence_scope"
    assert steps[1].startswith(listing)
    assert "SEARCH e USING INTEGER PRIMARY KEY (rowid=?)" in steps
    assert [step for step in steps if step.startswith(("SCAN e ", "SCAN evidence"))] == []


@pytest.mark.parametrize(
    "ask",
    [lambda own: own.newest(10), lambda own: list(own.trades()), lambda own: list(own.events())],
    ids=["newest", "trades", "events"],
)
def test_a_bot_finds_its_own_without_walking_over_those_of_others(
    journal: Journal, ask: Callable[[OwnRecords], object]
) -> None:
    """The index leads to its rows, in their order."""
    sister = replace(ORIGIN, run_id="sister")
    journal.append([a_trade(number, origin=sister) for number in range(50)])
    step, *others = plans(journal, lambda: ask(OwnRecords(journal, ORIGIN)))

    assert step.startswith("SEARCH evidence USING INDEX evidence_scope")
    assert [each for each in others if each.startswith("SCAN")] == []


@pytest.mark.usefixtures("small_pages")
@pytest.mark.parametrize("few_rows", [0, 1_000], ids=["listed", "walked"])
def test_what_is_written_meanwhile_is_read_in_the_end(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, few_rows: int
) -> None:
    """New trades, and corrections of those that were read already and of those that were not."""
    monkeypatch.setattr(paging, "FEW_ROWS", few_rows)
    trades = [a_trade(number) for number in range(6)]
    journal.append(trades)
    late = [
        replace(trades[0], profit_ratio=0.5),
        replace(trades[4], profit_ratio=0.5),
        a_trade(9),
    ]
    found: list[Record] = []
    for position, (_, record) in enumerate(journal.records(SCOPE)):
        found.append(record)
        if position == 0:
            journal.append(late)
            journal.append([a_retraction(trades[5].id)])

    # The first page had been read; of the rest, only what counts.
    assert found == [*trades[:4], *late, a_retraction(trades[5].id)]


@pytest.mark.usefixtures("small_pages")
def test_nothing_is_held_while_a_page_is_used(journal: Journal) -> None:
    """Others write, and the file can be closed, between two pages."""
    journal.append([a_trade(number) for number in range(5)])
    reading = journal.records(SCOPE)
    next(reading)
    other = Journal(journal.path.parent)
    other.append([a_trade(number, origin=replace(ORIGIN, run_id="other")) for number in range(2)])
    journal.close()

    assert len(list(reading)) == 6


def test_the_last_row_counts_whoever_wrote_it(journal: Journal) -> None:
    """None at first; what was corrected keeps its number."""
    assert journal.last_seq() == 0
    journal.append([a_trade(1), a_trade(2)])
    journal.append([replace(a_trade(1), profit_ratio=0.5)])
    assert journal.last_seq() == 3


def test_one_kind_is_read_as_its_type(journal: Journal) -> None:
    """Whatever else the scope holds is left out, of a reading and of a look-up by id."""
    journal.append([a_trade(1), a_note(1), a_trade(2, pair="BTC/USDT"), a_trade(3)])

    pairs = [trade.pair for trade in journal.of_kind(TradeRecord, Scope(user_id="me"))]
    assert pairs == ["ETH/USDT", "BTC/USDT", "ETH/USDT"]
    assert list(journal.of_kind(TradeRecord, Scope(pair="ETH/USDT"), limit=1)) == [a_trade(3)]
    assert journal.record_of(TradeRecord, a_trade(1).id) == a_trade(1)
    assert journal.record_of(TradeRecord, a_note(1).id) is None
