"""The table of trades says what the journal says, after every change of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.chain import note_gone
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, to_ms
from freqtrade_mem0.views.columns import amounts
from freqtrade_mem0.views.columns import book as book_module
from freqtrade_mem0.views.columns import kept as kept_module
from freqtrade_mem0.views.columns.book import TradeBook
from freqtrade_mem0.views.columns.choice import rows_of, runs
from tests.support.samples import NOTED, ORIGIN, a_decision, a_retraction, a_trade, opened
from tests.support.wait import eventually

if TYPE_CHECKING:
    from pathlib import Path

OTHER = replace(ORIGIN, user_id="ben", run_id="bot-2")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """An empty journal."""
    made = Journal(tmp_path)
    made.open()
    return made


def sized(number: int, **changes: Any) -> list[Any]:
    """Return a decision that raised a stake by a quarter, and its trade."""
    decision = a_decision(number)
    trade = a_trade(
        number,
        decision_id=decision.id,
        max_stake_amount=125.0,
        profit_ratio=number / 1e3,
        **changes,
    )
    return [decision, opened(decision, trade), trade]


def shown(book: TradeBook, scope: Scope | None = None) -> list[tuple[object, ...]]:
    """Return what the table says of each trade of a scope."""
    table = book.table()
    assert table is not None
    words = book.words
    with book.lock:
        rows = rows_of(book, table, scope or Scope())
        return [
            (
                words[int(table["pair"][row])],
                float(table["ratio"][row]),
                float(table["profit"][row]),
            )
            for row in rows
        ]


def test_each_trade_has_the_values_of_its_record(journal: Journal) -> None:
    """Texts, numbers, features and stakes, whatever the layout of its facts."""
    odd = {"rsi": 1 / 3, "regime": "calm uptrend", "volume": 12.5}
    records = [*sized(1), *sized(2, situation=odd), *sized(3, situation={}), a_trade(4)]
    journal.append(records)
    book = TradeBook(journal)
    table = book.table()
    assert table is not None
    words = book.words
    for row, trade in enumerate(journal.evidence.trades(Scope())):
        assert words[int(table["exit_reason"][row])] == trade.exit_reason
        assert words[int(table["side"][row])] == trade.side
        assert table["ratio"][row] == trade.profit_ratio
        assert table["open_s"][row] == (trade.known_at - trade.open_date).total_seconds()
        for name, value in trade.situation.items():
            kept = table[f"at_{name}"][row]
            if isinstance(value, str):
                assert words[int(kept)] == value
            else:
                assert kept == pytest.approx(value)
    assert table["proposed"][:3].tolist() == [100.0] * 3
    assert table["stake"][:3].tolist() == [125.0] * 3
    assert table["profit"].tolist() == pytest.approx([0.1, 0.2, 0.3, 1.0])


def test_news_corrections_and_what_is_taken_back_are_followed(journal: Journal) -> None:
    """A correction counts once; a retracted trade not at all."""
    journal.append(sized(1))
    book = TradeBook(journal)
    assert len(shown(book)) == 1
    trade = sized(2)[-1]
    journal.append(sized(2))
    assert len(shown(book)) == 2
    journal.append([replace(trade, profit_ratio=0.5)])
    assert [each[1] for each in shown(book)] == [0.001, 0.5]
    journal.append([a_retraction(trade.id)])
    assert [each[1] for each in shown(book)] == [0.001]


def test_a_figure_is_computed_again_only_after_a_change(journal: Journal) -> None:
    """A page that is asked for again gets what it got; a trade more, or taken back, changes it."""
    book, computed = TradeBook(journal), []

    def n_there() -> int:
        table = book.table()
        assert table is not None

        def compute() -> int:
            computed.append(1)
            return int(table["is_there"].sum())

        return book.kept("n", compute)

    journal.append(sized(1))
    assert [n_there(), n_there()] == [1, 1]
    journal.append(sized(2))
    assert [n_there(), n_there()] == [2, 2]
    journal.append([a_retraction(a_trade(1).id)])
    assert [n_there(), n_there()] == [1, 1]
    assert len(computed) == 3


def test_archived_decisions_keep_their_stakes(journal: Journal) -> None:
    """The numbers of a decision stay when its reasons go."""
    journal.append([each for number in range(1, 4) for each in sized(number)])
    outbox = Outbox(journal)
    outbox.delivered([seq for seq, _ in outbox.pending(10)], NOTED)
    writes, late_ms = BriefWrites(journal), to_ms(NOTED) + 1
    assert archive_records(writes, late_ms) == 3
    assert archive_decisions(writes, late_ms) == 2  # the newest one stays
    table = TradeBook(journal).table()
    assert table is not None
    assert table["stake"].tolist() == [125.0] * 3
    assert table["profit"].tolist() == pytest.approx([0.1, 0.2, 0.3])


def test_a_trade_that_is_decided_again_has_its_new_stakes(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backtest in shadow repeats its trades, not its stakes; also in what is kept of them."""
    monkeypatch.setattr(kept_module, "WORTH_IT", 1)
    monkeypatch.setattr(amounts, "_IDS_AT_ONCE", 1)
    journal.append([each for number in range(1, 4) for each in sized(number)])
    book = TradeBook(journal, keeps=True)
    shown(book)
    changed = [replace(a_decision(n), multiplier=1.1, stake=110.0) for n in (1, 3)]
    journal.append([*changed, *sized(4)])
    for each in (book, TradeBook(journal, keeps=True), TradeBook(journal)):
        table = each.table()
        assert table is not None
        assert table["stake"].tolist() == [110.0, 125.0, 110.0, 125.0]


def test_many_trades_are_read_beside_the_page(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is told that they are being read, and shows them afterwards."""
    monkeypatch.setattr(book_module, "_SMALL", 5)
    journal.append([a_trade(number) for number in range(1, 9)])
    book = TradeBook(journal)
    assert book.table() is None
    eventually(lambda: book.table() is not None)
    assert len(shown(book)) == 8
    book.close()


def test_only_the_scope_is_shown(journal: Journal) -> None:
    """Of users, runs and pairs; and the runs are listed with their number of trades."""
    backtest = replace(ORIGIN, mode=Mode.BACKTEST, run_id="run-1")
    journal.append(
        [
            a_trade(1),
            a_trade(2, pair="BTC/USDT"),
            a_trade(3, origin=OTHER),
            a_trade(4, origin=backtest),
        ]
    )
    book = TradeBook(journal)
    assert len(shown(book, Scope(user_id="ben"))) == 1
    assert len(shown(book, Scope(user_id="me"))) == 3
    assert [each[0] for each in shown(book, Scope(pair="BTC/USDT"))] == ["BTC/USDT"]
    table = book.table()
    assert table is not None
    found = runs(book, table, Scope(user_id="me"))
    assert [(run.run_id, run.n_trades) for run in found] == [("bot-1", 2), ("run-1", 1)]


def test_a_memory_that_is_not_there_has_no_trades(tmp_path: Path) -> None:
    """And no file is made by looking."""
    book = TradeBook(Journal(tmp_path / "none"))
    assert shown(book) == []
    assert not (tmp_path / "none").exists()


def test_amounts_are_kept_for_the_next_start(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """New trades alone are read, also after an archive; all where the file does not fit."""
    monkeypatch.setattr(kept_module, "WORTH_IT", 1)
    read: list[int] = []

    def amounts_of(connection: Any, rows: Any, words: Any) -> Any:
        read.append(len(rows))
        return amounts.amounts_of(connection, rows, words)

    monkeypatch.setattr(book_module, "amounts_of", amounts_of)

    def started() -> list[int]:
        """Return how many rows a book reads that begins anew; it shows what one without shows."""
        read.clear()
        found = []
        for keeps in (True, False):
            table = TradeBook(journal, keeps=keeps).table()
            assert table is not None
            found.append([table[name].tolist() for name in ("seq", *kept_module.NAMES)])
        assert repr(found[0]) == repr(found[1])
        return read[:-1]

    journal.append([each for number in range(1, 4) for each in sized(number)])
    assert started() == [3]
    assert started() == []
    journal.append([*sized(4), replace(sized(2)[-1], profit_abs=7.0)])
    assert started() == [2]
    outbox = Outbox(journal)
    outbox.delivered([seq for seq, _ in outbox.pending(20)], NOTED)
    writes, late_ms = BriefWrites(journal), to_ms(NOTED) + 1
    assert archive_records(writes, late_ms)
    assert archive_decisions(writes, late_ms)
    assert started() == []
    path = journal.path.with_name("recall-amounts.snapshot")
    content = path.read_bytes()
    path.write_bytes(content[:-1] + b"!")
    assert started() == [4]
    with journal.connection.write() as sqlite:
        note_gone(sqlite, "records", [1], "forgotten")
    assert started() == [4]
    assert started() == []
    path.write_bytes(content)
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE chain SET digest = zeroblob(32)")
    assert started() == [4]
