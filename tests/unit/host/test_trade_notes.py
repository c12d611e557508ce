"""Notes on trades in Freqtrade's own database."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import Trade, init_db

from freqtrade_mem0.host.trade_notes import KEY, TradeNote, write_notes
from freqtrade_mem0.run.bot import trade_notes
from freqtrade_mem0.run.bot.trade_notes import TradeNotes
from tests.support.samples import a_decision, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def trade(tmp_path: Path) -> Iterator[Any]:
    """An open trade in a database file."""
    used_db = Trade.use_db
    init_db(f"sqlite:///{tmp_path}/tradesv3.dryrun.sqlite")
    Trade.use_db = True
    trade = Trade(
        pair="ETH/USDT", base_currency="ETH", stake_currency="USDT", exchange="binance",
        strategy="Mine", open_date=at(1).replace(tzinfo=None), open_rate=100.0, amount=1.0,
        stake_amount=100.0, max_stake_amount=100.0, fee_open=0.0, fee_close=0.0, is_open=True,
        is_short=False, leverage=1.0, timeframe=5,
    )  # fmt: skip
    Trade.session.add(trade)
    Trade.commit()
    yield trade
    Trade.session.remove()
    Trade.use_db = used_db


def in_a_thread(notes: list[TradeNote]) -> None:
    """Write as a bot's chores do."""
    thread = threading.Thread(target=lambda: write_notes(notes, own_thread=True))
    thread.start()
    thread.join()


def test_a_note_is_the_trades_custom_data(trade: Any) -> None:
    """A later note on the same trade replaces it."""
    in_a_thread([TradeNote(trade.id, trade.pair, {"multiplier": 0.8, "why": "before"})])
    in_a_thread([TradeNote(trade.id, trade.pair, {"multiplier": 0.9, "why": "after"})])
    assert trade.get_custom_data(KEY) == {"multiplier": 0.9, "why": "after"}
    assert len(trade.get_all_custom_data()) == 1


def test_unfinished_work_of_freqtrade_is_not_committed(trade: Any) -> None:
    """What Freqtrade changes at the same time stays its own to commit or to drop."""
    trade.stake_amount = 77.0
    in_a_thread([TradeNote(trade.id, trade.pair, {"multiplier": 0.8})])
    Trade.session.rollback()
    assert trade.stake_amount == 100.0
    assert trade.get_custom_data(KEY) == {"multiplier": 0.8}


@pytest.mark.parametrize(("trade_id", "pair"), [(2, "ETH/USDT"), (1, "BTC/USDT")])
def test_a_trade_that_is_gone_gets_no_note(trade: Any, trade_id: int, pair: str) -> None:
    """Freqtrade may use its id again, for another pair."""
    in_a_thread([TradeNote(trade_id, pair, {"multiplier": 0.8})])
    assert trade.get_all_custom_data() == []


def test_a_note_says_what_was_done_and_why_in_one_line(trade: Any) -> None:
    """Multiplier, both stakes, the main reason, and the decision that `why` explains."""
    notes = TradeNotes()
    decision = a_decision()
    notes.add(trade, lambda: decision)
    notes.write(own_thread=False)
    found = trade.get_custom_data(KEY)
    assert (found["multiplier"], found["proposed_stake"], found["stake"]) == (1.25, 100.0, 125.0)
    assert found["why"].startswith("a stake of 100 USDT was raised to 125 (x1.25): ")
    assert "\n" not in found["why"]
    assert found["decision_id"] == decision.id


def test_a_note_that_can_not_be_written_waits(trade: Any, monkeypatch: Any) -> None:
    """While Freqtrade's database is locked, for example; the next try writes it."""
    notes = TradeNotes()
    notes.add(trade, a_decision)

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError("the database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(trade_notes, "write_notes", refuse)
        with pytest.raises(OSError, match="locked"):
            notes.write(own_thread=False)
    assert notes
    notes.write(own_thread=False)
    assert not notes
    assert trade.get_custom_data(KEY)["multiplier"] == 1.25
