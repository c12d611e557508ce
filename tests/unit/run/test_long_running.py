"""What a bot keeps of its trades, where it looks up the others, and what it does over restarts."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.importers.to_records import with_risk_events
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.records.from_trade import EntryContext, trade_id_of
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.bot.entries.own_trades import KEPT, OwnTrades
from freqtrade_mem0.run.bot.risk_history import RiskHistory
from freqtrade_mem0.run.bot.session import BotSession
from tests.support.samples import NOTED, ORIGIN, OrderStandIn, TradeStandIn, a_trade, at
from tests.support.session_stage import a_setup, keeping, proposal

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.run.bot.entries.own_trades import Archive

SMALL = {
    "run.bot.entries.own_trades.KEPT": 8,
    "run.bot.entries.own_trades._KEPT_IDS": 16,
    "run.bot.risk_history.KEPT": 8,
    "run.bot.risk_history._SAVED_EVERY": 2,
    "run.bot.session.WINDOW": 4,
}


class Closed:
    """An archive that must not be asked."""

    def trade(self, record_id: str) -> TradeRecord | None:
        """Fail."""
        raise AssertionError(record_id)

    def entry(self, record_id: str) -> EntryContext | None:
        """Fail."""
        raise AssertionError(record_id)


class Shelf:
    """An archive of some trades."""

    def __init__(self, *records: TradeRecord) -> None:
        self._records = {record.id: record for record in records}

    def trade(self, record_id: str) -> TradeRecord | None:
        """Return one of them."""
        return self._records.get(record_id)

    def entry(self, record_id: str) -> EntryContext | None:  # noqa: ARG002 - a port
        """Know no decision."""
        return None


def a_session(archive: Archive, entries: list[Entry]) -> BotSession:
    """Return a bot's session with an archive."""
    session = BotSession(
        a_setup(recall=Recall(("pair",), 1e9)),
        submit=keeping(entries),
        now=lambda: NOTED,
        archive=archive,
    )
    session.database = "one"
    return session


def a_closed_trade(
    number: int, ratio: float, reason: str = "roi", hours: float = 1.0
) -> TradeStandIn:
    """Return a trade that was opened at an hour."""
    opened = at(number).replace(tzinfo=None)
    orders = [OrderStandIn(f"dry_run_entry-{number}", "buy", order_date=opened)]
    trade = TradeStandIn(id=number, open_date=opened, orders=orders)
    return trade.close(ratio, hours=hours, reason=reason)


def test_no_callback_looks_anything_up() -> None:
    """Decide, enter, fill, close, again and again: no disk is read for it."""
    entries: list[Entry] = []
    session = a_session(Closed(), entries)
    for number in range(50):
        session.decide(proposal(number))
        session.entry_confirmed("ETH/USDT", "long")
        trade = a_closed_trade(number, 0.01 * (-1) ** number, "stop_loss")
        session.entry_filled(trade)
        session.trade_closed(trade)
        session.watch_risk(at(number + 2))
    records = [entry for entry in entries if isinstance(entry, TradeRecord)]
    assert len(records) == 50
    assert all(record.decision_id is not None for record in records)


def test_what_a_bot_keeps_is_bounded() -> None:
    """The newest whole, the others by a look-up; what was taken back is not looked up again."""
    old, older = a_trade(1), a_trade(2)
    own = OwnTrades(Shelf(old, older))
    for number in range(10, 10 * KEPT):
        own.add(a_trade(number))
        own.is_seen_first(f"id {number}")
    assert len(list(own)) < 2 * KEPT
    assert own.recent(a_trade(10 * KEPT - 1).id) is not None
    assert (own.recent(old.id), own.archived(old.id)) == (None, old)
    own.retract(old.id)
    assert own.archived(old.id) is None
    own.add(old)
    assert own.recent(old.id) == old


def test_a_backtest_keeps_all_of_them() -> None:
    """It has no archive."""
    own = OwnTrades()
    for number in range(3 * KEPT):
        own.add(a_trade(number))
    assert len(list(own)) == 3 * KEPT


def test_an_old_trade_is_corrected_against_the_journal() -> None:
    """The same numbers say nothing new; other ones keep what was known at the entry."""
    trade = a_closed_trade(1, 0.01)
    first: list[Entry] = []
    a_session(Shelf(), first).trades_closed([trade])
    (record,) = [entry for entry in first if isinstance(entry, TradeRecord)]
    entries: list[Entry] = []
    session = a_session(Shelf(record), entries)
    session.trades_closed([trade])
    assert [entry for entry in entries if isinstance(entry, TradeRecord)] == []
    session.trades_closed([a_closed_trade(1, 0.02)])
    (corrected,) = [entry for entry in entries if isinstance(entry, TradeRecord)]
    assert (corrected.id, corrected.profit_ratio) == (record.id, 0.02)


class LongBot:
    """A bot with a journal, begun anew by `restart`; `chores` stands for its thread."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder)
        self.own = OwnRecords(self.journal, ORIGIN)
        self.trades: dict[int, TradeStandIn] = {}
        self.restart()

    def restart(self) -> None:
        """Begin a new process: what it knows is in the journal."""
        self.waiting: list[Entry] = []
        self.history = RiskHistory(self.own, Marks(self.journal), ORIGIN)
        self.session = a_session(self.own, self.waiting)
        checkpoint, newest = self.history.start()
        self.n_read = len(newest)
        events = list(self.own.events())
        self.session.remember_earlier(
            placed=[], opened={}, recorded=newest, events=events, checkpoint=checkpoint
        )

    def write(self) -> None:
        """Let the journal have what waits."""
        self.journal.append(self.waiting)
        self.waiting.clear()

    def chores(self) -> None:
        """Go through everything again if need be, and keep the checkpoint."""
        self.write()
        seq = self.own.last_seq()
        assert self.history.replay_if_needed(self.session, lambda: True)
        self.history.save(self.session, seq)
        self.write()

    def close(self, number: int, ratio: float, reason: str) -> None:
        """Close a trade that was opened at that hour, or close it otherwise."""
        self.trades[number] = a_closed_trade(number, ratio, reason)
        self.session.trades_closed([self.trades[number]])
        self.write()

    def delete(self, number: int) -> None:
        """Take a trade back."""
        record = self.session.recorded(trade_id_of(self.trades.pop(number), ORIGIN))
        assert record is not None
        self.session.retract(record, "it was deleted")
        self.write()


def said(events: list[RiskEvent]) -> list[tuple[object, ...]]:
    """Return what events say, in order."""
    return sorted((e.known_at, e.event_type, e.description, e.impact, e.pair) for e in events)


@pytest.mark.parametrize("seed", range(10))
def test_events_follow_from_the_trades_over_restarts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Closed, corrected, late and deleted, killed at any point: as if all was known at once."""
    for name, value in SMALL.items():
        monkeypatch.setattr(f"freqtrade_mem0.{name}", value)
    chance = random.Random(seed)
    bot, hour = LongBot(tmp_path), 0
    for _ in range(150):
        what = chance.random()
        reason = chance.choice(["roi", "stop_loss"])
        ratio = chance.choice([-0.03, -0.02, -0.01, -0.01, 0.02])
        if what < 0.7:
            hour += 2
            bot.close(hour, ratio, reason)
        elif what < 0.76:
            bot.close(chance.randrange(hour + 1) | 1, ratio, reason)  # of an odd hour: late
        elif what < 0.82 and bot.trades:
            bot.close(chance.choice(sorted(bot.trades)), ratio, reason)
        elif what < 0.86 and bot.trades:
            bot.delete(chance.choice(sorted(bot.trades)))
        elif what < 0.95:
            bot.chores()
        else:
            bot.restart()
        bot.session.watch_risk(at(hour + 2))
        bot.write()
    bot.chores()
    bot.session.watch_risk(at(hour + 10))
    bot.write()

    trades = list(bot.own.trades())
    assert len(trades) == len(bot.trades)
    whole = list(bot.journal.of_kind(TradeRecord))
    assert {trade.id for trade in whole} == {trade.id for trade in trades}
    expected = [e for e in with_risk_events(whole) if isinstance(e, RiskEvent)]
    assert said(list(bot.own.events())) == said(expected)


def test_a_restart_reads_the_newest_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many there were; unless something before the checkpoint has changed meanwhile."""
    for name, value in SMALL.items():
        monkeypatch.setattr(f"freqtrade_mem0.{name}", value)
    bot = LongBot(tmp_path)
    for number in range(100):
        bot.close(number, 0.01, "roi")
        bot.session.watch_risk(at(number + 2))
        bot.chores()
    bot.restart()
    assert bot.n_read <= 16
    assert bot.session.on_risk(lambda risk: risk.wanted) is None
    bot.journal.append([a_trade(7, closed_at=at(3.5), profit_ratio=-0.5)])
    bot.restart()
    assert bot.session.on_risk(lambda risk: risk.wanted) is not None
    bot.chores()
    assert bot.session.on_risk(lambda risk: risk.wanted) is None


def test_trades_of_one_millisecond_come_in_market_order(tmp_path: Path) -> None:
    """The journal's column is coarser than the clock; pages do not cut them apart."""
    journal = Journal(tmp_path)
    moments = [at(1) + timedelta(microseconds=us) for us in (900, 100, 500)]
    trades = [a_trade(n, closed_at=moment) for n, moment in enumerate(moments)]
    journal.append(trades)
    own = OwnRecords(journal, ORIGIN)
    in_order = sorted(trades, key=lambda trade: trade.known_at)
    assert [trade.known_at for trade in own.trades()] == [trade.known_at for trade in in_order]
    assert list(own.trades(at(2))) == []
    assert own.newest(2) == sorted(own.newest(2), key=lambda trade: trade.known_at)
