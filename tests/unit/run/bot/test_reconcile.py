from __future__ import annotations

import random
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.persistence import Trade, init_db
from freqtrade.persistence.key_value_store import KeyValueStore
from freqtrade.persistence.models import Order

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.host import trade_database
from freqtrade_mem0.journal.append import Entry, SeenIn
from freqtrade_mem0.journal.forgotten import forgotten_until
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.lifecycle.forget import rows
from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.from_trade import trade_identity
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.bot.reconcile.reconciler import Reconciler
from freqtrade_mem0.run.bot.session import BotSession
from freqtrade_mem0.sizing.registry import policy_for
from tests.support.samples import NOTED, ORIGIN, START, a_decision, a_trade, at
from tests.support.session_stage import a_setup

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.journal.writer import Submitted


class Bot:
    """A bot's memory with its journal, started anew by `restart`."""

    def __init__(self, folder: Path) -> None:
        self.journal = Journal(folder)
        self.written: list[Entry] = []
        self.restart()

    def restart(self) -> None:
        """Begin a new process: all it knows is what the journal has."""
        self.recall = Recall((), 1e9)
        self.session = BotSession(
            a_setup(recall=self.recall, policy=policy_for(SizingSettings())),
            submit=self.write,
            now=lambda: NOTED,
            archive=OwnRecords(self.journal, ORIGIN),
        )
        own = OwnRecords(self.journal, ORIGIN)
        recorded = list(own.trades())
        placed = [line.decision for line in self.journal.ledger(only_opened=False)]
        self.session.remember_earlier(
            placed=placed,
            opened={},
            recorded=recorded,
        )
        for record in recorded:
            self.recall.add(record)
        marks = Marks(self.journal)
        self.may_retract = True
        self.reconciler = Reconciler(
            self.session, own, marks, lasts=True, may_retract=lambda: self.may_retract
        )

    def write(self, entry: Submitted) -> None:
        """Take an entry for the journal."""
        given = entry() if callable(entry) else entry
        entries = given if isinstance(given, tuple) else (given,)
        self.written.extend(entries)
        self.journal.append(entries)

    def trades(self) -> dict[str, float]:
        """Return the profit of each trade that is remembered, by pair."""
        return {
            record.pair: record.profit_ratio
            for _, record in self.journal.records()
            if isinstance(record, TradeRecord)
        }

    def known(self) -> int:
        """Return how many trades recall counts."""
        return round(self.recall.as_of(at(1000), [STRATEGY])[0].n)


@pytest.fixture
def bot(tmp_path: Path) -> Iterator[Bot]:
    """Return a bot with an empty trade database that was made at the sample start."""
    used_db = Trade.use_db
    init_db(f"sqlite:///{tmp_path}/tradesv3.dryrun.sqlite")
    Trade.use_db = True
    KeyValueStore.store_value("bot_start_time", START)
    yield Bot(tmp_path / "mem0")
    Trade.session.remove()
    Trade.use_db = used_db


def a_database_trade(pair: str, *, hours: float = 0.0, ratio: float | None = 0.02) -> Any:
    """Put a trade into the database; closed with this profit, or open with None."""
    opened = at(hours)
    trade = Trade(
        pair=pair, base_currency="X", stake_currency="USDT", exchange="binance",
        strategy=ORIGIN.strategy, open_date=opened.replace(tzinfo=None), open_rate=100.0,
        amount=1.0, stake_amount=100.0, max_stake_amount=100.0, fee_open=0.0, fee_close=0.0,
        is_open=ratio is None, is_short=False, leverage=1.0, enter_tag="dip", timeframe=5,
    )  # fmt: skip
    trade.orders.append(an_order(pair, "buy", opened, 100.0))
    if ratio is not None:
        close(trade, ratio)
    Trade.session.add(trade)
    Trade.commit()
    return trade


def close(trade: Any, ratio: float, *, noticed: datetime | None = None) -> None:
    """Close a trade an hour after it was opened; Freqtrade may have noticed it later."""
    closed = trade.open_date + timedelta(hours=1)
    order = an_order(trade.pair, "sell", closed, 100.0 * (1 + ratio))
    order.order_id += f"-{len(trade.orders)}"  # it may be closed more than once
    order.order_update_date = closed if noticed is None else noticed.replace(tzinfo=None)
    trade.orders.append(order)
    trade.is_open = False
    trade.close_date = closed
    trade.close_rate = 100.0 * (1 + ratio)
    trade.close_profit = ratio
    trade.close_profit_abs = 100.0 * ratio
    trade.exit_reason = "roi"
    Trade.commit()


def an_order(pair: str, side: str, moment: Any, rate: float) -> Order:
    """Return a filled order."""
    return Order(
        ft_order_side=side, ft_pair=pair, ft_is_open=False, ft_amount=1.0, ft_price=rate,
        order_id=f"dry_run_{pair}-{side}-{moment.isoformat()}", status="closed", order_type="limit",
        symbol=pair, side=side, price=rate, average=rate, amount=1.0, filled=1.0, remaining=0.0,
        cost=rate, order_date=moment.replace(tzinfo=None),
        order_filled_date=moment.replace(tzinfo=None),
    )  # fmt: skip


def test_trades_that_were_missed_are_recorded_once(bot: Bot) -> None:
    """However often it is compared, in however many processes, a trade is recorded once."""
    a_database_trade("ETH/USDT")
    a_database_trade("BTC/USDT", ratio=-0.03)
    a_database_trade("SOL/USDT", ratio=None)
    for _ in range(2):
        bot.reconciler.run(at(5))
        bot.reconciler.run(at(6))
        bot.restart()
    assert bot.trades() == {"ETH/USDT": 0.02, "BTC/USDT": -0.03}
    assert len([entry for entry in bot.written if isinstance(entry, TradeRecord)]) == 2
    assert bot.known() == 2


def test_trades_of_the_other_mode_in_the_same_database_are_left_alone(bot: Bot) -> None:
    """A trade's mode is that of its orders; what was taken for the bot's own is taken back."""
    a_database_trade("ETH/USDT")
    other = a_database_trade("BTC/USDT", ratio=-0.03)
    bot.reconciler.run(at(5))
    other.orders[0].order_id = "12345678"
    Trade.commit()
    bot.reconciler.start_over()
    for _ in range(2):
        bot.reconciler.run(at(6))
        bot.restart()
    assert bot.trades() == {"ETH/USDT": 0.02}
    a_database_trade("SOL/USDT", hours=4).orders[0].order_id = "87654321"
    Trade.commit()
    bot.reconciler.run(at(7))
    assert bot.trades() == {"ETH/USDT": 0.02}


def test_a_trade_of_the_other_mode_that_was_taken_for_own_is_taken_back(bot: Bot) -> None:
    """An earlier version recorded it, and noted it as seen at the database's address."""
    trade = a_database_trade("BTC/USDT", hours=1)
    trade.orders[0].order_id = "12345678"
    Trade.commit()
    record_id = trade_identity(ORIGIN, "BTC/USDT", "long", "12345678")
    wrong = replace(a_trade(1, pair="BTC/USDT", origin=ORIGIN), id=record_id)
    bot.journal.append([wrong, SeenIn(record_id=record_id, database="address")])
    bot.restart()
    bot.reconciler.run(at(5))
    assert bot.trades() == {}
    assert bot.known() == 0
    (taken_back,) = bot.journal.of_kind(Retraction)
    assert taken_back.reason == (
        "it is a live trade by its orders, and an earlier version took it for a dry-run trade"
    )


def test_a_trade_closed_between_two_comparisons_is_found(bot: Bot) -> None:
    """The second comparison looks only at what is new, and finds it."""
    trade = a_database_trade("ETH/USDT", ratio=None)
    bot.reconciler.run(at(0.5))
    assert bot.trades() == {}
    close(trade, 0.01)
    bot.reconciler.run(at(2))
    assert bot.trades() == {"ETH/USDT": 0.01}


def test_what_was_wrong_is_corrected_once(bot: Bot) -> None:
    """When Freqtrade's number changes, memory follows; recall counts the trade once."""
    trade = a_database_trade("ETH/USDT", ratio=0.02)
    bot.reconciler.run(at(5))
    trade.close_profit = 0.015
    Trade.commit()
    bot.restart()
    bot.reconciler.run(at(6))
    bot.reconciler.run(at(7))
    assert bot.trades() == {"ETH/USDT": 0.015}
    assert len([entry for entry in bot.written if isinstance(entry, TradeRecord)]) == 2
    assert bot.recall.as_of(at(1000), [STRATEGY])[0].mean == pytest.approx(0.015, abs=1e-12)


def test_a_deleted_trade_is_taken_back(bot: Bot) -> None:
    """Deleted while the bot runs or while it is down, the trade counts no more."""
    first, second = a_database_trade("ETH/USDT"), a_database_trade("BTC/USDT")
    bot.reconciler.run(at(5))
    first.delete()
    bot.reconciler.run(at(6))
    assert bot.trades() == {"BTC/USDT": 0.02}
    assert bot.known() == 1
    second.delete()
    bot.restart()
    bot.reconciler.run(at(7))
    assert bot.trades() == {}
    assert bot.known() == 0


def test_a_fresh_database_takes_nothing_back(bot: Bot) -> None:
    """A database knows nothing of trades before its birth: they are not taken for deleted."""
    a_database_trade("ETH/USDT").delete()
    bot.journal.append([])
    old = a_database_trade("ETH/USDT")
    bot.reconciler.run(at(5))
    old.delete()
    KeyValueStore.store_value("bot_start_time", at(48))
    bot.restart()
    bot.reconciler.run(at(50))
    assert bot.trades() == {"ETH/USDT": 0.02}


def test_an_entry_filled_while_the_bot_was_down_finds_its_decision(bot: Bot) -> None:
    """The order's decision was in the journal; the trade is tied to it, open or closed by now."""
    decisions = {
        pair: a_decision(number, pair=pair, decided_at=at(0), situation={"regime": "calm"})
        for number, pair in enumerate(("ETH/USDT", "BTC/USDT"))
    }
    bot.journal.append(list(decisions.values()))
    bot.restart()
    a_database_trade("ETH/USDT", ratio=0.01)
    still_open = a_database_trade("BTC/USDT", ratio=None)
    bot.reconciler.run(at(5))
    close(still_open, 0.02, noticed=at(5.5))
    bot.reconciler.run(at(6))
    tied = {
        record.pair: (record.decision_id, dict(record.situation))
        for _, record in bot.journal.records()
        if isinstance(record, TradeRecord)
    }
    assert tied == {pair: (d.id, {"regime": "calm"}) for pair, d in decisions.items()}
    assert all(line.trade is not None for line in bot.journal.ledger())


def test_a_decision_of_another_day_is_not_tied(bot: Bot) -> None:
    """A trade whose own decision is lost does not get that of an order long ago."""
    bot.journal.append([a_decision(1, pair="ETH/USDT", decided_at=at(0))])
    bot.restart()
    a_database_trade("ETH/USDT", hours=24)
    bot.reconciler.run(at(30))
    records = [r for _, r in bot.journal.records() if isinstance(r, TradeRecord)]
    assert [record.decision_id for record in records] == [None]


def test_a_namesake_with_another_database_takes_nothing_back(bot: Bot) -> None:
    """Two bots of one name and one memory: what one's database lacks is the other's own affair."""
    a_database_trade("ETH/USDT").delete()
    theirs = a_trade(1, pair="SOL/USDT", origin=ORIGIN)
    bot.journal.append([theirs, SeenIn(record_id=theirs.id, database="another")])
    bot.restart()
    a_database_trade("BTC/USDT")
    bot.reconciler.run(at(5))
    bot.restart()
    bot.reconciler.run(at(6))
    assert bot.trades() == {"SOL/USDT": 0.01, "BTC/USDT": 0.02}


def move_database(path: Path, to: Path) -> Path:
    """Move a database, after it is closed."""
    Trade.session.remove()
    Trade.session.get_bind().dispose()
    return path.rename(to)


def open_database(path: Path, since: datetime) -> None:
    """Let Freqtrade open the database at a path, made if need be, as it does at a bot's start."""
    init_db(f"sqlite:///{path}")
    if KeyValueStore.get_datetime_value("bot_start_time") is None:
        KeyValueStore.store_value("bot_start_time", since)


def test_bots_with_databases_at_the_same_path_take_nothing_back_from_each_other(
    bot: Bot, tmp_path: Path
) -> None:
    """Each has /freqtrade/user_data/tradesv3.sqlite in a container of its own, one memory both."""
    path, theirs = tmp_path / "tradesv3.dryrun.sqlite", tmp_path / "theirs"
    a_database_trade("ETH/USDT", hours=1)
    bot.reconciler.run(at(5))
    for hours in (6, 7):
        for pair in (f"BTC{hours}/USDT", f"SOL{hours}/USDT"):
            move_database(path, tmp_path / "ours")
            if theirs.exists():
                theirs.rename(path)
            open_database(path, START - timedelta(microseconds=1))
            a_database_trade(pair, hours=hours)
            bot.restart()
            bot.reconciler.run(at(hours + 2))
            move_database(path, theirs)
            (tmp_path / "ours").rename(path)
            open_database(path, START)
            bot.restart()
            bot.reconciler.run(at(hours + 2))
    assert len(bot.trades()) == 5
    assert not [entry for entry in bot.written if isinstance(entry, Retraction)]


def test_a_database_that_was_moved_is_the_same(bot: Bot, tmp_path: Path) -> None:
    """What is deleted in it while the bot is down is taken back, wherever it lies."""
    gone = a_database_trade("ETH/USDT")
    a_database_trade("BTC/USDT")
    bot.reconciler.run(at(5))
    gone.delete()
    path = tmp_path / "tradesv3.dryrun.sqlite"
    open_database(move_database(path, tmp_path / "moved"), at(48))
    bot.restart()
    bot.reconciler.run(at(6))
    assert bot.trades() == {"BTC/USDT": 0.02}


def test_what_was_seen_before_the_upgrade_is_not_taken_back(bot: Bot, tmp_path: Path) -> None:
    """Earlier versions knew a database by its path, which says nothing; trades are seen anew."""
    there = a_database_trade("ETH/USDT")
    path = f"sqlite:///{(tmp_path / 'tradesv3.dryrun.sqlite').resolve()}"
    earlier = sha256(path.encode()).hexdigest()[:16]
    theirs = a_trade(1, pair="SOL/USDT", origin=ORIGIN)
    bot.reconciler.run(at(5))
    with bot.journal.connection.write() as sqlite:
        sqlite.execute("UPDATE seen SET database = ?", [earlier])
        sqlite.execute("DELETE FROM marks")
    bot.journal.append([theirs, SeenIn(record_id=theirs.id, database=earlier)])
    bot.restart()
    bot.reconciler.run(at(6))
    assert bot.trades() == {"ETH/USDT": 0.02, "SOL/USDT": 0.01}
    there.delete()
    bot.restart()
    bot.reconciler.run(at(7))
    assert bot.trades() == {"SOL/USDT": 0.01}


@pytest.mark.parametrize("restarts", [True, False])
def test_nothing_is_taken_back_while_another_process_may_use_the_database(
    bot: Bot, restarts: bool
) -> None:
    """Its copy has trades that this one lacks. What is gone is taken back once it may be."""
    gone = a_database_trade("ETH/USDT")
    a_database_trade("BTC/USDT")
    bot.reconciler.run(at(1.5))
    gone.delete()
    if restarts:
        bot.restart()
    bot.may_retract = False
    for hours in (1.6, 1.7, 4):
        bot.reconciler.run(at(hours))
        assert len(bot.trades()) == 2
    bot.may_retract = True
    bot.reconciler.run(at(5))
    assert bot.trades() == {"BTC/USDT": 0.02}


def test_a_database_that_was_not_started_yet_has_no_identity(bot: Bot) -> None:
    """Nothing is seen in it, and nothing kept of the comparison; the next look asks again."""
    birth = KeyValueStore.get_datetime_value("bot_start_time")
    assert birth is not None
    KeyValueStore.delete_value("bot_start_time")
    a_database_trade("ETH/USDT")
    bot.reconciler.run(at(5))
    assert bot.trades() == {"ETH/USDT": 0.02}
    assert not [entry for entry in bot.written if isinstance(entry, SeenIn)]
    KeyValueStore.store_value("bot_start_time", birth)
    bot.restart()
    bot.reconciler.run(at(6))
    assert len([entry for entry in bot.written if isinstance(entry, SeenIn)]) == 1


def test_a_clock_that_was_ahead_hides_no_trade(bot: Bot) -> None:
    """A comparison dated far in the future does not keep later ones from looking at today."""
    trade = a_database_trade("ETH/USDT", ratio=None)
    bot.reconciler.run(at(2_000))
    close(trade, 0.01)
    bot.reconciler.run(at(1.5))
    assert bot.trades() == {"ETH/USDT": 0.01}


@pytest.fixture
def swept(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return what each going through all closed trades began with: one entry per page."""
    pages: list[int] = []
    whole = trade_database.closed_keys

    def noted(after_id: int, last_id: int) -> list[trade_database.TradeKey]:
        pages.append(after_id)
        return whole(after_id, last_id)

    monkeypatch.setattr(trade_database, "closed_keys", noted)
    return pages


def test_a_restart_compares_what_has_changed_since(bot: Bot, swept: list[int]) -> None:
    """A trade closed while memory was off is found among those that were open, or are new."""
    a_database_trade("ETH/USDT")
    still_open = a_database_trade("BTC/USDT", ratio=None)
    bot.reconciler.run(at(5))
    n_pages = len(swept)
    close(still_open, 0.03)
    a_database_trade("SOL/USDT", hours=1, ratio=-0.01)
    bot.restart()
    bot.reconciler.run(at(50))
    assert bot.trades() == {"ETH/USDT": 0.02, "BTC/USDT": 0.03, "SOL/USDT": -0.01}
    assert len(swept) == n_pages > 0


def test_looks_without_news_write_nothing(bot: Bot, swept: list[int]) -> None:
    """No entry, no mark, no going through all."""
    a_database_trade("ETH/USDT")
    bot.reconciler.run(at(50))
    n_pages, n_written = len(swept), len(bot.written)
    seq = bot.journal.connection.path.stat().st_size
    for hours in range(51, 60):
        bot.reconciler.run(at(hours))
    assert (len(swept), len(bot.written)) == (n_pages, n_written)
    assert bot.journal.connection.path.stat().st_size == seq


def test_a_trade_reloaded_over_rest_is_taken_back_and_recorded_again(bot: Bot) -> None:
    """Closed a moment ago, or long ago; open again, and closed otherwise."""
    trades = [a_database_trade("ETH/USDT"), a_database_trade("BTC/USDT", hours=90)]
    bot.reconciler.run(at(100))
    for trade in trades:
        trade.is_open, trade.close_date = True, None
    Trade.commit()
    bot.reconciler.run(at(100.1))
    assert bot.trades() == {}
    assert [entry.reason for entry in bot.written if isinstance(entry, Retraction)] == [
        "the trade is open again"
    ] * 2
    for trade in trades:
        close(trade, -0.04, noticed=at(100.2))
    bot.reconciler.run(at(100.3))
    assert bot.trades() == {"ETH/USDT": -0.04, "BTC/USDT": -0.04}


def test_an_id_that_is_used_again_is_another_trade(bot: Bot) -> None:
    """SQLite gives the highest id again, once its trade was deleted."""
    first = a_database_trade("ETH/USDT")
    bot.reconciler.run(at(1))
    first_id = first.id
    first.delete()
    assert a_database_trade("BTC/USDT", ratio=0.05).id == first_id
    bot.reconciler.run(at(1.1))
    assert bot.trades() == {"BTC/USDT": 0.05}


def test_a_mark_is_not_written_before_what_it_vouches_for(bot: Bot) -> None:
    """The journal took nothing: the next process compares as if there had been no comparison."""
    a_database_trade("ETH/USDT")
    lost: list[Submitted] = []
    bot.session._submit = lost.append
    bot.session._own.add = lambda _: None  # type: ignore[method-assign,assignment]
    bot.reconciler._flushed = lambda: False
    bot.reconciler.run(at(5))
    bot.restart()
    bot.reconciler.run(at(6))
    assert bot.trades() == {"ETH/USDT": 0.02}


def test_a_journal_that_lost_something_has_everything_compared(bot: Bot) -> None:
    """Of entries that were dropped, say."""
    a_database_trade("ETH/USDT")
    bot.reconciler.run(at(50))
    with bot.journal.connection.write() as sqlite:
        sqlite.execute("DELETE FROM outbox")
        sqlite.execute("DELETE FROM records")
        sqlite.execute("DELETE FROM evidence")
    bot.reconciler.run(at(51))
    assert bot.trades() == {}
    bot.session._own._recent.clear()
    bot.reconciler.start_over()
    bot.reconciler.run(at(52))
    assert bot.trades() == {"ETH/USDT": 0.02}


@pytest.mark.parametrize("seed", range(3))
def test_memory_follows_the_database_whatever_happens(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Opened, closed, corrected, deleted, reloaded, at any time, over restarts: both agree."""
    monkeypatch.setattr("freqtrade_mem0.run.bot.entries.own_trades.KEPT", 5)
    monkeypatch.setattr(trade_database, "_LOADED", 2)
    chance, hour = random.Random(seed), 0.0
    trades: list[Any] = []
    for number in range(60):
        hour += chance.choice([0.1, 0.5, 3.0])
        what, closed = chance.random(), [trade for trade in trades if not trade.is_open]
        if what < 0.45 or not closed:
            ratio = chance.choice([None, -0.02, 0.01, 0.03])
            trades.append(a_database_trade(f"P{number}/USDT", hours=hour, ratio=ratio))
        elif what < 0.6:
            for trade in (trade for trade in trades if trade.is_open):
                close(trade, chance.choice([-0.02, 0.04]), noticed=at(hour))
        elif what < 0.68:
            chance.choice(closed).close_profit = chance.uniform(-0.1, 0.1)
            Trade.commit()
        elif what < 0.76:
            gone = chance.choice(trades)
            trades.remove(gone)
            gone.delete()
        elif what < 0.82:
            again = chance.choice(closed)
            again.is_open, again.close_date = True, None
            Trade.commit()
        elif what < 0.9:
            bot.restart()
        else:
            bot.reconciler.run(at(hour))
    # A ratio that was changed by hand, long after the close, is looked for at a start.
    bot.restart()
    bot.reconciler.run(at(hour))
    expected = {trade.pair: trade.close_profit for trade in trades if not trade.is_open}
    assert bot.trades() == expected
    assert bot.known() == len(expected)


def test_what_was_forgotten_does_not_come_back_from_the_database(bot: Bot) -> None:
    """Neither as a record nor as evidence, in whatever process; a later trade is remembered."""
    a_database_trade("ETH/USDT")
    bot.reconciler.run(at(5))
    scope = ForgetScope(user_id=ORIGIN.user_id, run_id=ORIGIN.run_id, bots_only=True)
    rows.begin(bot.journal, scope, to_ms(at(10)))
    rows.delete_rows(bot.journal, scope, lambda: None)
    a_database_trade("BTC/USDT", hours=9.5)
    for _ in range(2):
        bot.restart()
        bot.session.forgotten_until = forgotten_until(bot.journal.connection, ORIGIN)
        bot.reconciler.run(at(12))
        assert bot.trades() == {"BTC/USDT": 0.02}
        assert bot.known() == 1
